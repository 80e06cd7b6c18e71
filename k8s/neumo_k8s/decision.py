"""What a rollout does next, decided from what is seen and what was written: no network, no clock.

Every step says what shall be, and asks only for what is not so yet. So a kill between a decision
and its deed loses nothing: whoever goes on sees the difference, and asks for it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from neumo_k8s import pod_troubles
from neumo_k8s.image_reference import digest_of
from neumo_k8s.journal import Journal, Step
from neumo_k8s.observed_cluster import ObservedCluster, ObservedDeployment, ObservedPod
from neumo_k8s.rollout_actions import (
    Action,
    AskPod,
    AskWhy,
    CloseCanary,
    Finding,
    Outcome,
    ReadShadow,
    SetCanary,
    SetStable,
    SetTraffic,
    WriteAudit,
    WriteOverlay,
)

DONE, STOPPED, PAUSED = 0, 1, 75
"""Exit statuses: as planned; the release was wrong, and undone; cannot tell, go on later."""
ASK_WHY_S = 20.0
"""From when on a pod that is not ready is asked why: a model that failed never loads."""
MOST_RETURNS = 3
"""How often a canary that somebody closes is opened again before a person is asked."""

GO_ON = "neumo rollout start"
PROMOTE = "neumo rollout promote"
UNDO = "neumo rollout undo"


@dataclass(frozen=True, slots=True)
class Decision:
    """``journal`` is written first if it changed; then ``action`` is done, or ``wait`` waited for.

    With ``deed_first`` the action, which may be done twice, comes before the journal says so.

    With ``status`` the command ends: ``line`` says why, ``command`` what goes on from here.
    """

    journal: Journal
    action: Action | None = None
    wait: str = ""
    status: int | None = None
    line: str = ""
    command: str = ""
    deed_first: bool = False


def decide(seen: ObservedCluster, journal: Journal, now: float) -> Decision:
    """The next thing to do for ``journal``, at ``now`` in seconds since 1970."""
    if journal.step is Step.UNDO:
        return _undo(seen, journal, now)
    if journal.step is Step.UNDONE:
        return Decision(journal, status=STOPPED, line=f"undone: {journal.why}")
    if journal.step is Step.FINISHED:
        return Decision(journal, status=DONE, line=f"release {journal.release} is rolled out")
    foreign = _foreign(seen, journal)
    if foreign:
        return _pause(journal, foreign, GO_ON)
    return _STEPS[journal.step](seen, journal, now)


def learn(
    journal: Journal, action: AskPod | AskWhy | ReadShadow, found: Finding, now: float
) -> Journal:
    """The journal with what ``action`` found.

    Bad begins the undoing; where it cannot be told nothing is passed, and ``doubt`` says so.
    """
    if isinstance(action, AskWhy) and found.outcome is not Outcome.BAD:
        return journal
    subject = "shadow" if isinstance(action, ReadShadow) else action.pod.name
    judged = journal.judged(subject, found.outcome.value, found.text, now)
    if found.outcome is Outcome.BAD and journal.step is not Step.UNDO:
        return judged.at(Step.UNDO, now, why=f"{subject}: {found.text}", asked=())
    if found.outcome in {Outcome.BAD, Outcome.CANNOT_TELL}:
        return replace(judged, doubt=f"{subject}: {found.text}")
    if isinstance(action, AskPod) and journal.step is not Step.VERIFY:
        return replace(judged, asked=(*judged.asked, action.pod.uid), doubt="")
    return _after(judged, now)


def _after(journal: Journal, now: float) -> Journal:
    """The step after ``journal``'s."""
    following = {Step.VERIFY: Step.SHADOW, Step.SHADOW: Step.ADMIT}[journal.step]
    return journal.at(following, now, doubt="")


def _preflight(seen: ObservedCluster, journal: Journal, now: float) -> Decision:
    return _canary(seen, journal.at(Step.CANARY, now), now)


def _canary(  # noqa: C901, PLR0911 - a step's ways out
    seen: ObservedCluster, journal: Journal, now: float
) -> Decision:
    canary = seen.canary
    if canary is None:
        return _pause(
            journal, "the Deployment tfserving-canary is gone", "kubectl apply -k OVERLAY"
        )
    if canary.image != journal.to_image or canary.replicas != 1:
        if journal.returns > MOST_RETURNS:
            reason = f"{canary.image_manager or 'somebody'} keeps closing the canary"
            return _pause(replace(journal, returns=0), reason, GO_ON)
        if journal.opened:
            journal = replace(journal, opened=False, returns=journal.returns + 1, pod="", since=now)
        opening = SetCanary(journal.to_image, journal.release)
        return Decision(journal, opening)
    journal = replace(journal, opened=True)
    if canary.failure:
        return _stop(journal, f"the canary's pod cannot be made: {canary.failure}", now)
    pods = _of_image(canary, journal.to_image)
    if not canary.settled or not pods:
        return Decision(journal, wait="the canary's pod to be made")
    pod = pods[0]
    if words := pod_troubles.trouble(pod):
        return _stop(journal, words, now)
    if not pod.ready:
        if pod.started is not None and now - pod.started > journal.terms.load_s:
            late = f"not ready {journal.terms.load_s:g} s after its start"
            return _stop(
                journal, f"pod {pod.name}: {late} (start --load-within says how long)", now
            )
        is_late = pod.started is not None and now - pod.started > ASK_WHY_S
        why = AskWhy(pod, journal.release) if is_late else None
        return Decision(journal, why, wait=f"pod {pod.name} to be ready")
    digest = digest_of(pod.image_id)
    if journal.to_digest and digest != journal.to_digest:
        moved = f"{journal.to_image} was {journal.to_digest} and is {digest}: its tag was moved"
        return _stop(journal, moved, now)
    checked = journal.at(Step.VERIFY, now, pod=pod.uid, to_digest=digest, admitted=None)
    return _verify(seen, checked, now)


def _verify(seen: ObservedCluster, journal: Journal, now: float) -> Decision:
    pod = _looked_at(seen, journal)
    if pod is None:
        return _canary(seen, journal.at(Step.CANARY, now), now)
    if words := pod_troubles.trouble(pod):
        return _stop(journal, words, now)
    if journal.doubt:
        return _pause(journal, journal.doubt, GO_ON)
    return Decision(journal, AskPod(pod, journal.release, journal.against))


def _shadow(seen: ObservedCluster, journal: Journal, now: float) -> Decision:
    pod = _looked_at(seen, journal)
    if pod is None:
        return _canary(seen, journal.at(Step.CANARY, now), now)
    if words := pod_troubles.trouble(pod):
        return _stop(journal, words, now)
    if journal.terms.shadow_s is None:
        text = "left out by --without-shadow"
        passed = journal.judged("shadow", Outcome.SKIPPED.value, text, now)
        return _admit(seen, _after(passed, now), now)
    if journal.doubt and now - journal.since > journal.terms.shadow_s:
        return _pause(replace(journal, since=now), f"too little is known: {journal.doubt}", GO_ON)
    return Decision(
        journal,
        ReadShadow(journal.release, journal.against),
        wait="the shadow to have seen enough films",
    )


def _admit(seen: ObservedCluster, journal: Journal, now: float) -> Decision:  # noqa: PLR0911 - a step's ways out
    pod = _looked_at(seen, journal)
    if pod is None:
        # Another pod has come in its place: it has no users until it was verified, too.
        return _canary(seen, journal.at(Step.CANARY, now), now)
    if words := pod_troubles.trouble(pod):
        return _stop(journal, words, now)
    if not pod.traffic:
        return Decision(replace(journal, admitted=now), SetTraffic(pod, on=True))
    until = (journal.admitted or journal.since) + journal.terms.admit_s
    if not pod.ready and now > until:
        return _stop(journal, f"pod {pod.name}: not ready among users", now)
    if now < until:
        return Decision(journal, wait=f"{until - now:.0f} s more of pod {pod.name} among users")
    judged = journal.judged(pod.name, Outcome.GOOD.value, "answered users, no restart", now)
    if journal.terms.hold:
        return _held(seen, judged.at(Step.HELD, now), now)
    return _promote(seen, judged.at(Step.PROMOTE, now), now)


def _held(_: ObservedCluster, journal: Journal, __: float) -> Decision:
    line = f"held before the promotion of release {journal.release}, as --hold said"
    return Decision(journal, status=DONE, line=line, command=PROMOTE)


def _promote(seen: ObservedCluster, journal: Journal, now: float) -> Decision:
    stable = seen.stable
    if stable.image != journal.to_image:
        if journal.promoted:
            who = stable.image_manager or "somebody"
            back = f"{who} set stable's image back to {stable.image}"
            return _pause(replace(journal, promoted=False), back, f"{PROMOTE}, or {UNDO}")
        image = SetStable(journal.to_image, journal.release, instead_of=journal.from_image)
        return Decision(journal, image)
    # Only what was seen can be told from a kill before it was done.
    journal = replace(journal, promoted=True)
    if stop := _stable_trouble(seen, journal, now):
        return stop
    if not stable.rolled:
        some = f"{stable.updated} of {stable.replicas} pods are new, {stable.available} available"
        return Decision(journal, wait=f"stable to be rolled: {some}, {stable.total} there")
    return _every_pod(seen, journal.at(Step.EVERY_POD, now, asked=()), now)


def _every_pod(seen: ObservedCluster, journal: Journal, now: float) -> Decision:  # noqa: PLR0911 - a step's ways out
    if stop := _stable_trouble(seen, journal, now):
        return stop
    if journal.doubt:
        return _pause(journal, journal.doubt, GO_ON)
    for pod in _of_image(seen.stable, journal.to_image):
        if pod.ready and pod.uid not in journal.asked:
            return Decision(journal, AskPod(pod, journal.release, None))
    waiting = [pod.name for pod in seen.stable.staying if pod.uid not in journal.asked]
    if waiting or not seen.stable.staying:
        return Decision(journal, wait=f"{', '.join(waiting) or 'a pod'} to be ready")
    if journal.step is Step.EVERY_POD:
        return Decision(journal.at(Step.BAKE, now), wait=f"{journal.terms.bake_s:g} s of baking")
    rest = journal.since + journal.terms.bake_s - now
    if rest > 0:
        return Decision(journal, wait=f"{rest:.0f} s more of baking")
    baked = journal.judged(
        "bake", Outcome.GOOD.value, f"{journal.terms.bake_s:g} s, no restart", now
    )
    return _close(seen, baked.at(Step.CLOSE, now), now)


def _close(seen: ObservedCluster, journal: Journal, now: float) -> Decision:
    if seen.canary is not None and seen.canary.replicas:
        return Decision(journal, CloseCanary())
    if journal.overlay and not journal.written:
        return Decision(
            replace(journal, written=True),
            WriteOverlay(journal.to_image, journal.release),
            deed_first=True,
        )
    return Decision(journal.at(Step.FINISHED, now), WriteAudit(), deed_first=True)


_STEPS = {
    Step.PREFLIGHT: _preflight,
    Step.CANARY: _canary,
    Step.VERIFY: _verify,
    Step.SHADOW: _shadow,
    Step.ADMIT: _admit,
    Step.HELD: _held,
    Step.PROMOTE: _promote,
    Step.EVERY_POD: _every_pod,
    Step.BAKE: _every_pod,
    Step.CLOSE: _close,
}


def _undo(seen: ObservedCluster, journal: Journal, now: float) -> Decision:  # noqa: PLR0911 - a step's ways out
    """Users off the canary first, then the canary, then stable as it was; then stable is asked."""
    canary = seen.canary
    if canary is not None:
        for pod in canary.pods:
            if pod.traffic:
                return Decision(journal, SetTraffic(pod, on=False))
        if canary.replicas:
            return Decision(journal, CloseCanary())
    if seen.stable.image == journal.to_image:
        back = replace(journal, asked=(), promoted=True)
        return Decision(
            back,
            SetStable(journal.from_image, journal.against, instead_of=journal.to_image),
        )
    if seen.stable.image != journal.from_image:
        who = seen.stable.image_manager or "somebody"
        return _pause(
            journal, f"stable runs {seen.stable.image}, which {who} set: left alone", UNDO
        )
    # Where it was never touched there is nothing to ask it.
    asking = _ask_former(seen.stable, journal) if journal.promoted else None
    if asking is not None:
        return asking
    if journal.written:
        kept = replace(journal, written=False)
        return Decision(kept, WriteOverlay(journal.from_image, journal.against), deed_first=True)
    return Decision(journal.at(Step.UNDONE, now), WriteAudit(), deed_first=True)


def _ask_former(stable: ObservedDeployment, journal: Journal) -> Decision | None:
    """What is still to be asked of stable's pods, which are of the former release again."""
    if journal.doubt:
        return _pause(journal, journal.doubt, UNDO)
    if not stable.rolled:
        some = f"{stable.available} of {stable.replicas} pods are back"
        return Decision(journal, wait=f"stable to be as it was: {some}")
    for pod in stable.staying:
        if digest := _moved(pod, journal.from_digest):
            line = f"pod {pod.name} runs {digest}, not {journal.from_digest}: the tag was moved"
            return _pause(journal, line, f"give stable its digest again, then {UNDO}")
        if pod.uid not in journal.asked:
            return Decision(journal, AskPod(pod, journal.against, None))
    return None


def _stable_trouble(seen: ObservedCluster, journal: Journal, now: float) -> Decision | None:
    """The stop that a pod of the new release in stable asks for; also one who set it back."""
    stable = seen.stable
    if stable.image != journal.to_image:
        who = stable.image_manager or "somebody"
        back = journal.at(Step.PROMOTE, now, promoted=False)
        line = f"{who} set stable's image back to {stable.image}"
        return _pause(back, line, f"{PROMOTE}, or {UNDO}")
    if stable.failure:
        return _stop(journal, f"stable's pods cannot be made: {stable.failure}", now)
    if stable.stalled:
        return _stop(journal, f"stable does not get on: {stable.stalled}", now)
    for pod in _of_image(stable, journal.to_image):
        if words := pod_troubles.trouble(pod):
            return _stop(journal, words, now)
        if digest := _moved(pod, journal.to_digest):
            line = f"pod {pod.name} runs {digest}, the canary ran {journal.to_digest}"
            return _stop(journal, f"{line}: the tag was moved", now)
    return None


def _moved(pod: ObservedPod, digest: str) -> str:
    """What ``pod`` runs where that is not ``digest``."""
    runs = digest_of(pod.image_id)
    return runs if runs and digest and runs != digest else ""


def _foreign(seen: ObservedCluster, journal: Journal) -> str:
    """What somebody else made of stable, if it is neither the release before nor the new one."""
    image = seen.stable.image
    known = {journal.from_image, journal.to_image} if journal.promoted else {journal.from_image}
    if journal.step in {Step.PROMOTE, Step.EVERY_POD, Step.BAKE, Step.CLOSE}:
        known |= {journal.from_image, journal.to_image}
    if image in known:
        return ""
    who = seen.stable.image_manager or "somebody"
    return f"{who} set stable's image to {image}; this rollout began at {journal.from_image}"


def _looked_at(seen: ObservedCluster, journal: Journal) -> ObservedPod | None:
    """The canary's pod of the journal, if it is there and of its image still."""
    canary = seen.canary
    if canary is None or canary.image != journal.to_image or canary.replicas != 1:
        return None
    return next((pod for pod in canary.staying if pod.uid == journal.pod), None)


def _of_image(deployment: ObservedDeployment, image: str) -> tuple[ObservedPod, ...]:
    return tuple(pod for pod in deployment.staying if pod.image == image)


def _stop(journal: Journal, why: str, now: float) -> Decision:
    """The release is wrong: it is undone."""
    line = " ".join(why.split())
    judged = journal.judged(journal.step.value, Outcome.BAD.value, line, now)
    return Decision(judged.at(Step.UNDO, now, why=line, asked=()), wait="the undoing")


def _pause(journal: Journal, why: str, command: str) -> Decision:
    line = " ".join(why.split())
    paused = replace(journal, doubt="", paused=f"{line}: {command}")
    return Decision(paused, status=PAUSED, line=line, command=command)
