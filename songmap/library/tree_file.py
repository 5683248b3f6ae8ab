"""XGBoost's trees as arrays, and back: nothing reaches XGBoost's parser that was not checked here.

``save_raw("json")`` has a documented schema. All trees' nodes are joined: ``sizes (n_trees,)`` nodes each, of which the
first is the root; a node's children have larger numbers than it, -1 is none.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

_NODES = {  # arrays of every tree, as they are in XGBoost's document, and how they are stored
    "left_children": np.int32, "right_children": np.int32, "parents": np.int32, "split_indices": np.int32,
    "default_left": np.uint8, "split_conditions": np.float32, "base_weights": np.float32, "loss_changes": np.float32,
    "sum_hessian": np.float32,
}  # fmt: skip
_ROOT = 2**31 - 1  # the parent of a root
_MOST_NODES = 10_000_000


def tree_arrays(trees: Any) -> dict[str, np.ndarray]:
    """Arrays of a fitted XGBClassifier."""
    learner = json.loads(bytes(trees.get_booster().save_raw("json")))["learner"]
    model, parameters = learner["gradient_booster"]["model"], learner["learner_model_param"]
    return {
        name: np.concatenate([np.asarray(tree[name], dtype) for tree in model["trees"]])
        for name, dtype in _NODES.items()
    } | {
        "sizes": np.array([len(tree["parents"]) for tree in model["trees"]], np.int64),
        "classes": np.array(model["tree_info"], np.int64),
        "base_score": np.array(json.loads(parameters["base_score"]), np.float64).ravel(),
        "n_columns": np.array(int(parameters["num_feature"])),
    }


def trees_of(arrays: Mapping[str, np.ndarray]) -> Any:
    """The XGBClassifier of ``tree_arrays``. Raises ValueError or KeyError for what is none."""
    from xgboost import XGBClassifier

    trees = XGBClassifier(n_jobs=1)
    trees.load_model(bytearray(json.dumps(_document(arrays)).encode()))
    return trees


def _document(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """XGBoost's document, of version 3.1."""
    sizes, classes = (_whole_numbers(arrays[name]) for name in ("sizes", "classes"))
    n_columns, base_score = int(arrays["n_columns"]), [float(value) for value in arrays["base_score"]]
    n_classes = len(base_score) if len(base_score) > 1 else 0  # 0 is binary
    n_outputs = max(1, n_classes)
    _check(len(sizes) == len(classes) > 0 == len(sizes) % n_outputs, "numbers of trees")
    _check(sizes.min() > 0 and sizes.sum() <= _MOST_NODES and 0 < n_columns < 2**20, "numbers of nodes")
    _check(np.array_equal(classes, np.arange(len(classes)) % n_outputs), "classes of trees")
    _check(np.isfinite(base_score).all() and len(base_score) > 0, "a base score")
    nodes = {name: np.asarray(arrays[name], dtype) for name, dtype in _NODES.items()}
    _check(all(one.shape == (sizes.sum(),) and np.isfinite(one).all() for one in nodes.values()), "nodes")
    starts = np.cumsum(sizes)[:-1]
    parts = {name: np.split(one, starts) for name, one in nodes.items()}
    trees = [
        _tree({name: part[index] for name, part in parts.items()}, index, n_columns) for index in range(len(sizes))
    ]
    scores = ",".join(f"{score:.9E}" for score in base_score)
    objective: dict[str, Any] = {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}}
    if n_classes:
        objective = {"name": "multi:softprob", "softmax_multiclass_param": {"num_class": str(n_classes)}}
    return {
        "learner": {
            "attributes": {},
            "feature_names": [],
            "feature_types": [],
            "gradient_booster": {
                "model": {
                    "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
                    "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(trees))},
                    "iteration_indptr": list(range(0, len(trees) + 1, n_outputs)),
                    "tree_info": classes.tolist(),
                    "trees": trees,
                },
                "name": "gbtree",
            },
            "learner_model_param": {
                "base_score": f"[{scores}]",
                "boost_from_average": "1",
                "num_class": str(n_classes),
                "num_feature": str(n_columns),
                "num_target": "1",
            },
            "objective": objective,
        },
        "version": [3, 1, 0],
    }


def _tree(nodes: Mapping[str, np.ndarray], number: int, n_columns: int) -> dict[str, Any]:
    n_nodes = len(nodes["parents"])
    own = np.arange(n_nodes)
    left, right, columns = nodes["left_children"], nodes["right_children"], nodes["split_indices"]
    inner = left != -1
    _check(np.array_equal(inner, right != -1), "children")
    children = np.concatenate([left[inner], right[inner]])
    _check(np.array_equal(np.sort(children), own[1:]), "children")
    _check((left[inner] > own[inner]).all() and (right[inner] > own[inner]).all(), "children")
    _check(
        np.array_equal(nodes["parents"][children], np.tile(own[inner], 2)) and nodes["parents"][0] == _ROOT, "parents"
    )
    _check(((columns >= 0) & (columns < n_columns)).all() and (nodes["default_left"] <= 1).all(), "splits")
    return {name: values.tolist() for name, values in nodes.items()} | {
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "id": number,
        "split_type": [0] * n_nodes,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(n_columns),
            "num_nodes": str(n_nodes),
            "size_leaf_vector": "1",
        },
    }


def _whole_numbers(values: np.ndarray) -> np.ndarray:
    _check(values.ndim == 1 and values.dtype.kind in "iu", "numbers of trees")
    return values


def _check(condition: Any, what: str) -> None:
    if not condition:
        raise ValueError(f"trees with impossible {what}")
