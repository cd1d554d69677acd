"""Writes reference/golden/*.json: values of real PyTorch and BackPACK in float64. See README.md.

python generate.py            write all cases and the index
python generate.py --check    compare with what is committed; exit code 1 on a difference
python generate.py --only conv2d-mean   (with either)
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cases import CASES, Case
from definitions import Definitions
from golden import array, differences, number, render
from network import Network
from quantities import (
    EXTENSIONS,
    SAMPLED,
    SAMPLES,
    SUBSAMPLED,
    SUBSAMPLING,
    Unsupported,
    by_backpack,
    draw_labels,
    ggn_vector_product_by_backpack,
    hessian_vector_product_by_backpack,
)
from spec import rounded

GOLDEN = Path(__file__).parent / "golden"
SELF_CONSISTENCY = 1e-10
"""Of the largest entry: how far BackPACK may be from the definition."""

FROM_AUTOGRAD = (
    "batchGrad", "batchL2Grad", "sumGradSquared", "variance",
    "diagGgnExact", "batchDiagGgnExact", "diagHessian", "batchDiagHessian",
)  # fmt: skip
"""The quantities of cases with source 'torch'."""


class Mismatch(Exception):
    """BackPACK disagrees with the definition."""


def flat(values: dict[str, Any]) -> dict[str, Tensor]:
    """Kronecker factors under 'parameter output' and 'parameter input'."""
    result: dict[str, Tensor] = {}
    for name, value in values.items():
        result |= (
            {f"{name} {role}": factor for role, factor in value.items()} if isinstance(value, dict) else {name: value}
        )
    return result


def require_equal(values: dict[str, Any], truth: dict[str, Any], what: str) -> None:
    flat_values, flat_truth = flat(values), flat(truth)
    if set(flat_values) != set(flat_truth):
        raise Mismatch(f"{what}: has {list(flat_values)}, should have {list(flat_truth)}")
    for name, value in flat_values.items():
        true = flat_truth[name]
        if value.shape != true.shape:
            raise Mismatch(f"{what} of {name}: shape {list(value.shape)}, should be {list(true.shape)}")
        error, largest = (value - true).abs().max().item(), true.abs().max().item()
        if error > SELF_CONSISTENCY * max(largest, 1e-6):
            raise Mismatch(f"{what} of {name}: off by {error:.3g}, largest entry {largest:.3g}")


def checked_backpack(
    case: Case, net: dict[str, Any], quantity: str, definitions: Definitions, labels: Tensor
) -> dict[str, Any]:
    """BackPACK's value if it equals the definition. A declared defect must still be one."""
    values = by_backpack(net, quantity, labels)
    try:
        require_equal(values, definitions.compute(quantity), quantity)
    except Mismatch:
        if quantity in case.defects:
            raise Unsupported(case.defects[quantity]) from None
        raise
    if quantity in case.defects:
        raise Mismatch(f"{quantity}: declared a defect of BackPACK, but it equals the definition")
    return values


def arrays(values: dict[str, Any]) -> dict[str, Any]:
    return {name: arrays(value) if isinstance(value, dict) else array(value) for name, value in values.items()}


def products(case: Case, net: dict[str, Any], definitions: Definitions) -> dict[str, Any]:
    vectors = {name: rounded(torch.randn_like(p)) for name, p in definitions.network.trainable.items()}
    hessian, ggn = definitions.hessian_vector_product(vectors), definitions.ggn_vector_product(vectors)
    if case.source == "backpack":
        require_equal(hessian_vector_product_by_backpack(net, vectors), hessian, "hessianVectorProduct")
        require_equal(ggn_vector_product_by_backpack(net, vectors), ggn, "ggnVectorProduct")
    return {
        "hessianVectorProduct": {"vectors": arrays(vectors), "products": arrays(hessian)},
        "ggnVectorProduct": {"vectors": arrays(vectors), "products": arrays(ggn)},
    }


def quantities_of(case: Case) -> list[str]:
    if case.source == "torch":
        return list(FROM_AUTOGRAD)
    return [quantity for quantity in EXTENSIONS if case.subsampled or quantity not in SUBSAMPLED]


def golden(case: Case) -> dict[str, Any]:
    net = case.net()
    torch.manual_seed(0)
    labels = draw_labels(Network(net))
    definitions = Definitions(net, labels)
    gradient = definitions.compute("gradient")
    shares = {name: value.sum(0) for name, value in definitions.compute("batchGrad").items()}
    require_equal(shares, gradient, "sum of individual gradients")

    expected: dict[str, Any] = {
        "loss": number(definitions.network.loss(definitions.output).item(), 13),
        "output": array(definitions.output),
        "gradient": arrays(gradient),
    }
    left_out: dict[str, str] = {}
    for quantity in quantities_of(case):
        try:
            if case.source == "backpack":
                values = checked_backpack(case, net, quantity, definitions, labels)
            else:
                values = definitions.compute(quantity)
        except Unsupported as reason:
            left_out[quantity] = str(reason)
            continue
        results = arrays(values)
        expected[quantity] = {"samples": SUBSAMPLING, "results": results} if quantity in SUBSAMPLED else results
    expected |= products(case, net, definitions)

    result = {
        "name": case.name,
        "source": case.source,
        "torch": "2.13.0",
        "backpack": "1.7.1",
        "net": net,
        "expected": expected,
    }
    if SAMPLED & set(expected):
        result["draws"] = {"samples": SAMPLES, "labels": array(labels)}
    if left_out:
        result["leftOut"] = left_out
    return json.loads(render(result))


# the index


def layers_of(net: dict[str, Any]) -> list[str]:
    """Operations and loss, without repetition, in order."""
    return list(dict.fromkeys([*(node["op"] for node in net["nodes"]), net["loss"]["kind"]]))


def entry(result: dict[str, Any]) -> dict[str, Any]:
    quantities = [key for key in result["expected"] if key not in ("loss", "output")]
    return {
        "name": result["name"],
        "source": result["source"],
        "reduction": result["net"]["loss"]["reduction"],
        "layers": layers_of(result["net"]),
        "quantities": quantities,
    }


def index(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """`coverage[layer][quantity]`: the reductions with at least one case of source 'backpack'; `torchOnly` likewise for
    those pairs that only the other cases cover.
    """
    covered: dict[str, Any] = {source: defaultdict(lambda: defaultdict(set)) for source in ("backpack", "torch")}
    for case in entries:
        for layer in case["layers"]:
            for quantity in case["quantities"]:
                covered[case["source"]][layer][quantity].add(case["reduction"])
    coverage = {layer: {q: sorted(r) for q, r in pairs.items()} for layer, pairs in covered["backpack"].items()}
    torch_only = {
        layer: pairs
        for layer, quantities in covered["torch"].items()
        if (pairs := {q: sorted(r) for q, r in quantities.items() if q not in coverage.get(layer, {})})
    }
    return {"cases": entries, "coverage": coverage, "torchOnly": torch_only}


# command line


def require_versions() -> None:
    for package, wanted in {"torch": "2.13.0", "backpack-for-pytorch": "1.7.1"}.items():
        if version(package).split("+")[0] != wanted:
            sys.exit(f"{package} {wanted} is needed, {version(package)} is installed: see README.md")


def put(path: Path, value: dict[str, Any], check: bool) -> list[str]:
    """Writes, or compares with what is there."""
    if not check:
        path.write_text(render(value) + "\n")
        return []
    if not path.exists():
        return [f"{path.name}: missing"]
    return [f"{path.name}: {line}" for line in differences(json.loads(path.read_text()), value)]


def main() -> None:
    parser = argparse.ArgumentParser(description="golden values from PyTorch and BackPACK")
    parser.add_argument("--check", action="store_true", help="compare instead of write")
    parser.add_argument("--only", metavar="NAME", help="a single case; leaves the index alone")
    options = parser.parse_args()

    require_versions()
    warnings.filterwarnings("ignore", message="Using padding='same'")
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)

    cases = [case for case in CASES if options.only in (None, case.name)]
    if not cases:
        sys.exit(f"no case {options.only}; there are: {', '.join(case.name for case in CASES)}")
    GOLDEN.mkdir(exist_ok=True)
    found: list[str] = []
    entries = []
    for case in cases:
        try:
            result = golden(case)
        except Exception as error:
            raise RuntimeError(f"case {case.name}: {error}") from error
        entries.append(entry(result))
        found += put(GOLDEN / f"{case.name}.json", result, options.check)
    if options.only is None:
        found += put(GOLDEN / "index.json", index(entries), options.check)
        known = {f"{case.name}.json" for case in cases} | {"index.json"}
        strays = [path for path in GOLDEN.glob("*.json") if path.name not in known]
        if options.check:
            found += [f"{path.name}: no such case" for path in strays]
        else:
            for path in strays:
                path.unlink()
    for line in found:
        print(line)
    print(f"{len(cases)} cases {'compared' if options.check else 'written'}, {len(found)} differences")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
