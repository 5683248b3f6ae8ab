"""08: whether songs that sound similar are in the same playlists: clusters, playlist communities, recommendations."""
