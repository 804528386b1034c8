"""What the `info` of every trained model says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqkit.storage import Manifest


def opened_manifest(bundle: str, kind: str, verify: bool) -> Manifest:
    """The manifest of a bundle.

    Args:
        bundle: its directory.
        kind: that it must be of.
        verify: read every byte and compare its hash.

    Raises:
        SeqkitError: as `Bundle.open` and `Bundle.verify`.
    """
    from seqkit.storage import Bundle

    opened = Bundle.open(bundle, kind=kind)
    if verify:
        opened.verify()
    return opened.manifest


def manifest_summary(bundle: str, manifest: Manifest) -> dict[str, Any]:
    """What it says of any model, as JSON."""
    return {
        "bundle": bundle,
        "kind": manifest.kind,
        "seed": manifest.seed,
        "metrics": manifest.metrics,
        "config": manifest.config,
        "versions": manifest.versions,
    }
