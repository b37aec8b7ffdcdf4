"""Episodes in which only one side is heard."""

from dataclasses import replace

from engram.evals.roles import Episode, Probe, Session


def user_turns(episode: Episode) -> Episode:
    """The episode as a memory hears it that is told only what users say.

    Evidence is what is left of it; a question whose evidence only the assistant gave has none, and
    is not scored.
    """
    heard = (_heard(session) for session in episode.conversation)
    sessions = tuple(session for session in heard if session.turns)
    home = {turn.id: session.id for session in sessions for turn in session.turns}
    probes = tuple(_probe(probe, home) for probe in episode.questions)
    return replace(episode, conversation=sessions, questions=probes)


def _heard(session: Session) -> Session:
    return replace(session, turns=tuple(turn for turn in session.turns if turn.role == "user"))


def _probe(probe: Probe, home: dict[str, str]) -> Probe:
    evidence = tuple(turn for turn in probe.evidence if turn in home)
    sessions = tuple(dict.fromkeys(home[turn] for turn in evidence))
    return replace(probe, evidence=evidence, evidence_sessions=sessions)
