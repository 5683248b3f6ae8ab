"""What every part uses and nothing here knows music: errors, files, workspace, command lines, tables, pages."""
