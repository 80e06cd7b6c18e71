"""What came back from a fuzzed server, and how that is told."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from support.fuzz.verdicts import Verdict

LARGEST_GROWTH = 1.1
SHOWN_WRONG = 20


@dataclass(slots=True)
class Tally:
    """Outcomes, violations and how long each request took; ``valid`` were answered right.

    ``rss_kib`` are the idle server's memory after each part of the run.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: list[tuple[float, str]] = field(default_factory=list)
    valid: int = 0
    rss_kib: list[int] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @property
    def sent(self) -> int:
        """How many malformed requests have been sent."""
        return sum(self.outcomes.values())

    def add(self, verdict: Verdict, kind: str, took_s: float) -> None:
        """Count an answer to a malformed request of that kind."""
        with self.lock:
            self.outcomes[verdict.outcome] += 1
            self.seconds.append((took_s, kind))
            if verdict.wrong:
                self.wrong.append(f"{kind}: {verdict.wrong}")

    def add_valid(self, wrong: str) -> None:
        """Count a valid request between, answered right unless ``wrong`` says why not."""
        with self.lock:
            self.valid += not wrong
            if wrong:
                self.wrong.append(wrong)

    def check_growth(self) -> None:
        """Improper is a server that grew since it had met every kind of request."""
        growth = self.rss_kib[-1] / max(1, self.rss_kib[0])
        if growth > LARGEST_GROWTH:
            self.wrong.append(f"the server's memory has grown {growth:.2f} times")


def rss_kib(pid: int) -> int:
    """Resident memory of a process; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def report(tally: Tally, span_s: float) -> str:
    """What happened, for a person."""
    times = sorted(tally.seconds)
    lines = [f"{tally.sent} malformed requests in {span_s:.0f} s, {tally.valid} valid ones right"]
    lines += [f"  {outcome:28}{n:8}" for outcome, n in tally.outcomes.most_common()]
    lines.append(f"  memory, MiB: {', '.join(str(one // 1024) for one in tally.rss_kib)}")
    if times:
        median = statistics.median(took for took, _ in times)
        lines.append(f"  median {median * 1000:.1f} ms; slowest:")
        lines += [f"    {took:6.2f} s  {kind}" for took, kind in times[-5:][::-1]]
    lines.append(f"  improper: {len(tally.wrong)}")
    lines += [f"    {one}" for one in tally.wrong[:SHOWN_WRONG]]
    return "\n".join(lines)
