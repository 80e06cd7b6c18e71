"""``neumo rollout``."""

from __future__ import annotations

import argparse

from neumo.commands import arguments
from neumo_k8s.journal import Terms

_NO_TERMS = Terms()


def main(argv: list[str]) -> int:
    """Roll a release out on Kubernetes: a canary is verified first, and every pod afterwards.

    Exit status: 0 as planned, 1 the release is wrong, and was undone, 75 it cannot be told: the
    rollout pauses, and the line says which command goes on.
    """
    chosen = _parser().parse_args(argv)
    # The official client takes a second to load, which `neumo --help` need not.
    from neumo_k8s import rollout_commands  # noqa: PLC0415

    return rollout_commands.run(chosen)


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser("neumo rollout", description=main.__doc__)
    shared = arguments.Parser(add_help=False)
    shared.add_argument("-n", "--namespace", default="neumo", help="default: %(default)s")
    shared.add_argument("--context", help="the kubeconfig's context (default: its current one)")
    shared.add_argument(
        "--manifests",
        metavar="PATH",
        help="folder with releases/N.json (default: the release that neumo brings)",
    )
    shared.add_argument("--json", action="store_true", help="for machines")
    shared.add_argument("--metrics-file", metavar="FILE", help="keep neumo_rollout_* there")
    parsers = parser.add_subparsers(dest="command", required=True, parser_class=arguments.Parser)
    for name, text in (
        ("plan", "look whether a release could be rolled out, and change nothing"),
        ("start", "begin a rollout, or go on with the one that was begun"),
    ):
        one = parsers.add_parser(name, parents=[shared], help=text, description=text)
        one.add_argument("image", nargs="?", metavar="IMAGE", help="by digest: NAME@sha256:…")
        one.add_argument("--release", type=arguments.whole_from(1), metavar="N")
        _add_terms(one)
    for name, text in (
        ("status", "what it does, what it waits for, each pod"),
        ("promote", "go on after --hold, or after somebody set stable back"),
        ("undo", "as it was before: users off the canary, no canary, stable's former image"),
        ("audit", "who rolled what out, when; with --gates every judgement"),
    ):
        one = parsers.add_parser(name, parents=[shared], help=text, description=text)
        if name == "audit":
            one.add_argument("--gates", action="store_true")
    return parser


def _add_terms(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    for name, default, text in (
        ("--load-within", _NO_TERMS.load_s, "seconds a pod may take to be ready"),
        ("--shadow-within", _NO_TERMS.shadow_s, "seconds until the shadow must tell"),
        ("--admit-for", _NO_TERMS.admit_s, "seconds that the canary is among users"),
        ("--bake-for", _NO_TERMS.bake_s, "seconds without a restart after the last pod"),
    ):
        number = arguments.number_from(0)
        add(name, type=number, default=default, metavar="S", help=f"{text} (%(default)g)")
    add("--without-shadow", action="store_true", help="compare no users' films; audited")
    add("--hold", action="store_true", help="stop before stable is touched")
    add("--overlay", metavar="FOLDER", help="write the image into its kustomization.yaml")
