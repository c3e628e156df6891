"""Datasets from channels whose formats have columns: CSV, Parquet, JSON Lines."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from churn_daal import engine
from churn_daal.boosting.dataset import Dataset
from churn_daal.errors import UserError
from churn_daal.tabular.aligned import AlignedReader
from churn_daal.tabular.batch import Reader
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.learn import (
    encode,
    learn_schema,
    text_features,
)
from churn_daal.tabular.merging import EmptyReader, same_columns, share_texts, text_elsewhere
from churn_daal.tabular.reading import read_table
from churn_daal.tabular.roles import Roles, resolve
from churn_daal.tabular.row_checks import refuse_crossed_bounds, refuse_uneven_weights
from churn_daal.tabular.schema import Schema
from churn_daal.tabular.table import ON_ANOTHER_HOST, Table
from churn_daal.tabular.target import (
    CLASSES,
    Target,
    Task,
    encode_target,
    read_bounds,
    read_weights,
)
from churn_daal.training.budget import memory_budget
from churn_daal.training.channels import OpenChannel, column_reader
from churn_daal.training.column_roles import in_order, role_names
from churn_daal.training.context import Context
from churn_daal.training.quality import MakeQuality, column_quality
from churn_daal.training.row_values import learn_label, margins, queries, side_by_side

log = logging.getLogger(__name__)


class ColumnSource:
    """The channels of a job whose train channel has columns.

    Parameters
    ----------
    opened
        The train channel; without files on a host that has no share of it.
    context
        The job.

    Raises
    ------
    UserError
        A column is not there, or the columns are not those of the earlier model or of the
        other hosts.
    """

    def __init__(self, opened: OpenChannel, context: Context) -> None:
        self._context, self._hp = context, context.hp
        self._reader = self._open(opened, None)
        self._roles = resolve(role_names(context.hp, opened), self._reader)
        _tell(self._roles)
        self.schema = Schema(())
        self.target = Target("regression", Labels(None), np.zeros(0, np.float32))
        self.quality: dict[str, MakeQuality] = {}
        if context.known is not None:
            self.schema = context.known.schema
            self._roles = in_order(self._roles, self._reader, context.known.schema)

    def train(self) -> tuple[Dataset, Target]:
        """Read the train channel, and learn the schema and the label from it.

        Raises
        ------
        UserError
            The data is at fault; file, row and column are named.
        """
        hp, roles, known = self._hp, self._roles, self._context.known
        if known is not None:
            learned = engine.objective_named(known.objective).task
            self.target = Target(learned, known.labels, self.target.y)
            data = self._by_schema(self._reader, "train")
            return data, replace(self.target, y=data.y)
        task = engine.objective_named(hp.objective).task if hp.objective else None
        table = self._shared_table(task)
        fault = None
        try:
            self.target = learn_label(table, roles, task, hp)
            self.schema = learn_schema(table, roles)
        except UserError as error:
            if self._context.world.size == 1:
                raise
            fault = str(error)
        # All hosts fail alike here, and the one that has the row at fault can name it.
        named = [each for each in self._context.world.gather(fault) if each is not None]
        if named:
            raise UserError(min(named, key=lambda text: text.endswith(ON_ANOTHER_HOST)))
        return self._dataset(table, self.target.y, "train"), self.target

    def _open(self, opened: OpenChannel, like: Reader | None) -> Reader:
        """Open a channel's files in the order of another's columns, or of the first host's."""
        world = self._context.world
        known = None if like is None else like.names
        own = column_reader(opened, self._hp, known) if opened.files else None
        if like is None and world.size > 1:
            like = same_columns(own, world.gather)
        if own is None:
            # Only several hosts let a channel be empty. The train channel's reader has the
            # columns of this one, and its own rows, which are not this one's.
            like = cast("Reader", like)
            empty = EmptyReader(like.names, like.width, like.delimiter)
            empty.categorical = like.categorical
            return empty
        return own if like is None else AlignedReader(own, like)

    def _shared_table(self, task: Task | None) -> Table:
        """Read the train channel, text wherever any host has text."""
        world = self._context.world
        text = self._roles.categorical
        table = self._table(self._reader, task, text=text)
        if world.size == 1:
            return table
        while world.any(bool(more := text_elsewhere(table, world.gather))):
            if more:
                text |= more
                table = self._table(self._reader, task, text=text)
        share_texts(table, world.gather, world.rank)
        return table

    def other(self, opened: OpenChannel) -> Dataset:
        """Read another channel by what the train channel taught.

        Raises
        ------
        UserError
            The data is at fault, or has other columns; file, row and column are named.
        """
        if opened.is_sparse:
            raise UserError(
                f"channel {opened.channel.name!r} holds {opened.format}, whose features have no "
                "names, but the train channel has columns; give both in one format"
            )
        return self._by_schema(self._open(opened, self._reader), opened.channel.name)

    def _by_schema(self, reader: Reader, name: str) -> Dataset:
        """Read a channel by the schema and the label that are known."""
        texts = text_features(self.schema, self._roles)
        target = self.target
        numbers = frozenset(self._roles.features) - texts
        table = self._table(reader, target.task, text=texts, numbers=numbers)
        label = self._roles.label
        if label is None:
            y = read_bounds(table, cast("int", self._roles.lower), open_end=0.0)
        else:
            y = encode_target(table, label, task=target.task, labels=target.labels)
        return self._dataset(table, y, name)

    def _table(
        self,
        reader: Reader,
        task: Task | None,
        *,
        text: frozenset[int],
        numbers: frozenset[int] = frozenset(),
    ) -> Table:
        roles = self._roles
        beside = {p for p in (roles.label, roles.group) if p is not None}
        label = {roles.label} - {None}
        as_text = {roles.group} - {None}
        # Without an objective the labels themselves decide.
        if task in CLASSES:
            as_text |= label
        elif task is not None:
            numbers |= cast("frozenset[int]", label)
        return read_table(
            reader,
            features=roles.features,
            keep=(*sorted(beside), *roles.numbers),
            text=text | cast("set[int]", as_text),
            numbers=numbers | set(roles.numbers),
            budget=memory_budget(self._hp),
            check=self._context.check,
            may_be_empty=self._context.world.size > 1,
        )

    def _dataset(self, table: Table, y: NDArray[np.float32], name: str) -> Dataset:
        roles = self._roles
        features = encode(table, self.schema, roles)
        # Gathered when the model is there: it takes as long as some rounds.
        self.quality[name] = partial(
            column_quality, table, self.schema, roles, self.target, y, train=name == "train"
        )
        several = self._context.world.size > 1
        group = None if roles.group is None else queries(table, roles.group, several=several)
        data = Dataset(
            features,
            y,
            weight=None if roles.weight is None else read_weights(table, roles.weight),
            group=group,
            lower=None if roles.lower is None else read_bounds(table, roles.lower, open_end=0.0),
            upper=None if roles.upper is None else read_bounds(table, roles.upper, open_end=np.inf),
            base_margin=margins(table, roles),
        )
        if data.lower is not None and data.upper is not None:
            refuse_crossed_bounds(table, cast("int", roles.upper), data.lower, data.upper)
        if self.target.task == "ranking" and data.weight is not None and group is not None:
            places = (cast("int", roles.weight), cast("int", roles.group))
            refuse_uneven_weights(table, *places, group, data.weight)
        return data if group is None else side_by_side(data, group)


def _tell(roles: Roles) -> None:
    """Say what may surprise of the roles."""
    if roles.label is None:
        log.info("no label: the bounds stand for it, and every column without a role is a feature")
    if roles.base_margin:
        log.warning(
            "base_margin: rounds start from it; held-out figures and the endpoint's answers do not"
        )
