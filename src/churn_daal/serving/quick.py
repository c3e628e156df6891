"""Quick requests that came at the same moment: watched each, answered together."""

from __future__ import annotations

from collections.abc import Sequence

from churn_daal.serving.access import Environ, Watched
from churn_daal.serving.http.reply import Reply, ask
from churn_daal.serving.lane import Lane, headers_of, status_of
from churn_daal.serving.request import Answer
from churn_daal.serving.spool import sent


class QuickLane:
    """What a WSGI server has no way to do: takes several requests at once.

    Parameters
    ----------
    watched
        The WSGI app of one request at a time.
    lane
        The lane in it.
    """

    def __init__(self, watched: Watched, lane: Lane) -> None:
        self._watched, self._lane = watched, lane
        self.is_quick = lane.is_quick

    def answers(self, environs: Sequence[Environ]) -> list[Reply]:
        """Answer requests, each as the WSGI app does.

        Parameters
        ----------
        environs
            WSGI's. The input of each is this package's own, which can be read again.
        """
        if len(environs) == 1:
            return [ask(self._watched, environs[0])]
        takes = [self._lane.takes(environ) for environ in environs]
        taken = [environ for environ, mine in zip(environs, takes, strict=True) if mine]
        watched = self._watched
        seen = [watched.begin(environ) for environ in taken]
        replies: list[Reply] = []
        for one, answer in zip(seen, self._lane.answers(taken), strict=True):
            reply = _reply(answer)
            watched.answered(one, answer.status, reply.headers)
            watched.end(one)
            replies.append(reply)
        given = iter(replies)
        return [
            next(given) if mine else ask(watched, environ)
            for environ, mine in zip(environs, takes, strict=True)
        ]


def _reply(answer: Answer) -> Reply:
    body = answer.body
    return Reply(
        status_of(answer), headers_of(answer), sent(body) if isinstance(body, memoryview) else body
    )
