"""A rollout, step by step, on a cluster that is played: bad releases, disturbances, kills."""

from __future__ import annotations

import pytest

from neumo_k8s.decision import DONE, PAUSED, STOPPED
from neumo_k8s.journal import Journal, Step
from neumo_k8s.rollout_actions import Finding, Outcome
from support.cluster.played_cluster import GOOD, NEW, OLD, KilledError, PlayedCluster, Release

BAD = Outcome.BAD
UNKNOWN = Finding(Outcome.CANNOT_TELL, "too few films: 3")
PROMOTED = f"stable {NEW}"


def played(new=None, **options):
    """Release 1 runs; ``new`` is how release 2 behaves."""
    return PlayedCluster({OLD: Release(), NEW: new or Release()}, **options)


def untouched(cluster):
    """Stable was never written, and no user came to the canary."""
    assert [one for one in cluster.writes if one.startswith(("stable", "users on"))] == []
    assert cluster.images_wanted["tfserving"] == OLD
    assert cluster.replicas["tfserving-canary"] == 0


def test_a_good_release_is_verified_admitted_promoted_and_every_pod_is_asked():
    """In this order, and the canary is closed in the end."""
    cluster = played()
    ending = cluster.run(cluster.journal())
    assert (ending.status, ending.journal.step) == (DONE, Step.FINISHED)
    assert cluster.writes == [f"canary {NEW}", "users on", PROMOTED, "canary closed"]
    subjects = [(gate.step, gate.outcome) for gate in ending.journal.gates]
    assert subjects == [
        (Step.VERIFY, "good"),
        (Step.SHADOW, "good"),
        (Step.ADMIT, "good"),
        *[(Step.EVERY_POD, "good")] * 3,
        (Step.BAKE, "good"),
    ]
    assert [one.name for one in cluster.audited] == ["one"]


BAD_RELEASES = {
    "golden answers wrong": Release(answers=Finding(BAD, "answers differ from the golden ones")),
    "threshold wrong": Release(answers=Finding(BAD, "the threshold is 0.9, not 0.5")),
    "one model does not load": Release(load_s=1e9, why=Finding(BAD, "pneumonia_tuned is END")),
    "loads after five minutes": Release(load_s=300.0),
    "slow": Release(answers=Finding(BAD, "takes 3.0 times as long")),
    "OOM at the second release": Release(changes={"ended": "OOMKilled", "restarts": 1}),
    "OOM, not started anew yet": Release(load_s=1e9, changes={"ended": "OOMKilled"}),
    "lungs missing": Release(answers=Finding(BAD, "lungs is not there")),
    "a release skipped": Release(answers=Finding(BAD, "release 1 is not there")),
    "crashes": Release(changes={"waiting": "CrashLoopBackOff", "restarts": 3}),
    "no image": Release(load_s=1e9, changes={"waiting": "ImagePullBackOff", "words": "no such"}),
    "no node": Release(load_s=1e9, changes={"unschedulable": True, "words": "0/3 nodes"}),
    "no secret": Release(load_s=1e9, changes={"waiting": "CreateContainerConfigError"}),
}


@pytest.mark.parametrize("name", BAD_RELEASES)
def test_a_bad_release_is_stopped_within_a_minute_and_undone_before_a_user_meets_it(name):
    """By its words, and with the canary closed."""
    cluster = played(BAD_RELEASES[name])
    begun = cluster.now
    ending = cluster.run(cluster.journal())
    assert ending.status == STOPPED
    assert ending.journal.step is Step.UNDONE
    assert ending.journal.why
    untouched(cluster)
    stopped = next(gate.at for gate in ending.journal.gates if gate.outcome == "bad")
    # The pod is up two seconds after it is made.
    assert stopped - begun - 4.0 <= 60.0


def test_a_pod_that_cannot_be_made_stops_with_the_quotas_words():
    """As the ReplicaSet's condition has them."""
    cluster = played()
    cluster.failure = "exceeded quota: small"
    ending = cluster.run(cluster.journal())
    assert ending.status == STOPPED
    assert "exceeded quota: small" in ending.line
    untouched(cluster)


@pytest.mark.parametrize("evicted", [True, False])
def test_a_tag_that_moves_is_undone(evicted):
    """The digests that the kubelets run are compared, not the names: the canary's and stable's."""
    cluster = played()
    journal = cluster.journal()

    def moved():
        others = {"image_id": "registry/neumo@sha256:other"}
        cluster.images[NEW] = Release(changes=others)
        if evicted:
            cluster.evict_canary()

    cluster.at.append((cluster.now + 20.0, moved))
    ending = cluster.run(journal)
    assert ending.status == STOPPED
    assert "tag was moved" in ending.line
    assert cluster.images_wanted["tfserving"] == OLD


@pytest.mark.parametrize("bad", [Finding(BAD, "verdicts flip"), UNKNOWN])
def test_the_shadow_lets_nothing_pass_that_it_does_not_call_the_same(bad):
    """Different is undone; too few films is a pause, and goes on once there are enough."""
    cluster = played()
    cluster.shadow_says = lambda: bad
    ending = cluster.run(cluster.journal())
    assert ending.status == (STOPPED if bad.outcome is BAD else PAUSED)
    assert PROMOTED not in cluster.writes
    assert "users on" not in cluster.writes
    if bad is UNKNOWN:
        assert ending.journal.step is Step.SHADOW
        assert "too few films: 3" in ending.line
        cluster.shadow_says = lambda: GOOD
        assert cluster.run(ending.journal).status == DONE


def test_what_verification_cannot_tell_pauses_and_never_passes():
    """``start`` asks again."""
    cluster = played(Release(answers=UNKNOWN))
    ending = cluster.run(cluster.journal())
    assert (ending.status, ending.command) == (PAUSED, "neumo rollout start")
    untouched_but_canary = [one for one in cluster.writes if one != f"canary {NEW}"]
    assert untouched_but_canary == []
    cluster.images[NEW] = Release()
    assert cluster.run(ending.journal).status == DONE


def test_a_stable_pod_that_answers_wrongly_after_the_promotion_is_undone():
    """Every pod is asked, not the first alone."""
    cluster = played()
    wrong = Finding(BAD, "another threshold")
    cluster.verify = lambda pod, release, against: (
        wrong if release == 2 and pod.name == cluster.pods["tfserving"][-1][0].name else GOOD
    )
    ending = cluster.run(cluster.journal())
    assert ending.status == STOPPED
    assert cluster.writes[-3:] == ["users off", "canary closed", f"stable {OLD}"]
    assert ending.journal.step is Step.UNDONE


def test_held_before_stable_is_touched():
    """``promote`` goes on."""
    cluster = played()
    ending = cluster.run(cluster.journal(hold=True))
    assert (ending.status, ending.journal.step) == (DONE, Step.HELD)
    assert PROMOTED not in cluster.writes


def test_an_evicted_canary_is_verified_again_before_users_meet_it():
    """Its successor has no label, and is another pod."""
    cluster = played()
    journal = cluster.journal(admit_s=30.0)
    cluster.at.append((cluster.now + 25.0, cluster.evict_canary))
    ending = cluster.run(journal)
    assert ending.status == DONE
    verified = [gate.subject for gate in ending.journal.gates if gate.step is Step.VERIFY]
    assert len(set(verified)) == 2
    assert cluster.writes.count("users on") == 2


def test_an_applied_overlay_that_closes_the_canary_is_answered_by_opening_it_again():
    """Three times; then a person is asked, for somebody means it."""
    cluster = played()
    for number in range(9):
        cluster.at.append((cluster.now + 5.0 + 20.0 * number, cluster.close_canary))
    ending = cluster.run(cluster.journal(admit_s=600.0))
    assert ending.status == PAUSED
    assert "keeps closing the canary" in ending.line
    assert PROMOTED not in cluster.writes


@pytest.mark.parametrize("after", [20.0, 45.0])
def test_another_image_in_stable_pauses_and_is_left_alone(after):
    """Whoever set it is named; neither the canary nor stable is written any more."""
    cluster = played()
    cluster.images["other"] = Release()

    def other():
        cluster.images_wanted["tfserving"] = "other"
        cluster.manager = "kubectl-set"

    cluster.at.append((cluster.now + after, other))
    ending = cluster.run(cluster.journal())
    assert ending.status == PAUSED
    assert "kubectl-set set stable's image to other" in ending.line
    assert cluster.images_wanted["tfserving"] == "other"


def test_kubectl_rollout_undo_in_the_middle_of_the_promotion_pauses():
    """It is not done over: ``promote`` or ``undo`` says what is meant."""
    cluster = played()

    def back():
        cluster.images_wanted["tfserving"] = OLD
        cluster.manager = "kubectl"

    journal = cluster.journal()
    ending = None
    cluster.set_stable = watching(cluster.set_stable, lambda: cluster.at.append((0.0, back)))
    ending = cluster.run(journal)
    assert ending.status == PAUSED
    assert "set stable's image back" in ending.line
    assert ending.command == "neumo rollout promote, or neumo rollout undo"
    assert cluster.images_wanted["tfserving"] == OLD


def watching(deed, then):
    """``deed``, and ``then`` after it."""

    def done(*given, **named):
        deed(*given, **named)
        then()

    return done


def test_pods_that_the_autoscaler_adds_are_asked_too():
    """While it bakes."""
    cluster = played()
    journal = cluster.journal(bake_s=60.0)

    def more():
        cluster.replicas["tfserving"] = 5

    cluster.set_stable = watching(
        cluster.set_stable, lambda: cluster.at.append((cluster.now + 70.0, more))
    )
    ending = cluster.run(journal)
    assert ending.status == DONE
    asked = {gate.subject for gate in ending.journal.gates if gate.step is not Step.VERIFY}
    assert {pod.name for pod, _ in cluster.pods["tfserving"]} <= asked


def test_a_promotion_that_does_not_get_on_is_undone():
    """With the Deployment's words."""
    cluster = played()

    def stall():
        cluster.stuck = "ReplicaSet has timed out progressing"

    cluster.set_stable = watching(cluster.set_stable, stall)
    journal = cluster.journal()
    cluster.at.append((cluster.now + 600.0, lambda: None))
    ending = cluster.run(journal)
    assert ending.status == STOPPED
    assert "timed out progressing" in ending.line


def test_an_api_server_that_is_away_for_long_pauses_and_start_goes_on():
    """For a short time it is waited for."""
    cluster = played()
    journal = cluster.journal()
    cluster.at.append(
        (cluster.now + 12.0, lambda: setattr(cluster, "away_until", cluster.now + 60))
    )
    ending = cluster.run(journal)
    assert ending.status == PAUSED
    assert "connection refused" in ending.line
    cluster.sleep(60.0)
    assert cluster.run(cluster.kept).status == DONE


@pytest.mark.parametrize("new", [Release(), BAD_RELEASES["golden answers wrong"]])
def test_killed_after_any_write_start_goes_on_to_the_same_end(new):
    """Nothing is done twice to stable, and the journal that is left can be read."""
    plain = played(new)
    status = plain.run(plain.journal()).status
    for writes in range(40):
        cluster = played(new)
        cluster.kept = cluster.journal()
        cluster.killed_after = writes
        try:
            cluster.run(cluster.kept)
        except KilledError:
            cluster.sleep(15.0)
            ending = cluster.run(cluster.kept)
        else:
            break
        assert ending.status == status, f"killed after {writes} writes: {ending.line}"
        assert cluster.writes.count(PROMOTED) <= 1
        assert cluster.images_wanted["tfserving"] == (NEW if status == DONE else OLD)
        assert cluster.replicas["tfserving-canary"] == 0
    else:
        pytest.fail("it never came to an end without a kill")
    assert writes > 5


def test_undo_closes_the_canary_first_and_asks_stable_afterwards():
    """After a rollout that ended well, too."""
    cluster = played()
    ended = cluster.run(cluster.journal()).journal
    undo = ended.at(Step.UNDO, cluster.now, why="asked for", asked=(), promoted=True)
    ending = cluster.run(undo)
    assert ending.journal.step is Step.UNDONE
    assert cluster.images_wanted["tfserving"] == OLD
    assert [gate.outcome for gate in ending.journal.gates if gate.step is Step.UNDO] == ["good"] * 3


def test_undo_pauses_where_stable_does_not_answer_as_it_did():
    """It is never called undone before."""
    cluster = played()
    ended = cluster.run(cluster.journal()).journal
    undo = ended.at(Step.UNDO, cluster.now, why="asked for", asked=(), promoted=True)
    cluster.verify = lambda pod, release, against: UNKNOWN
    assert cluster.run(undo).status == PAUSED


def test_a_journal_is_read_as_it_was_written():
    """Gates and terms included."""
    cluster = played()
    journal = cluster.run(cluster.journal()).journal
    assert Journal.read(journal.text()) == journal
