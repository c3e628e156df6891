"""Datasets from channels whose features have places and no names: libsvm, recordio-protobuf."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from churn_daal import engine
from churn_daal.boosting.dataset import Dataset
from churn_daal.errors import UserError
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.merging import share_texts
from churn_daal.tabular.schema import Schema
from churn_daal.tabular.sparse_features import SparseFeatures
from churn_daal.tabular.sparse_table import (
    LABEL,
    SparseTable,
    label_as_text,
    read_sparse,
    sparse_schema,
)
from churn_daal.tabular.target import CLASSES, Target, encode_target, learn_target
from churn_daal.training.budget import memory_budget
from churn_daal.training.channels import OpenChannel
from churn_daal.training.context import Context
from churn_daal.training.quality import MakeQuality, sparse_quality
from churn_daal.training.row_values import side_by_side

# Hyperparameters that name columns.
_COLUMNS = (
    *("label", "weight", "group", "label_lower_bound", "label_upper_bound", "base_margin"),
    *("id_columns", "drop_columns", "categorical_columns"),
)


class SparseSource:
    """The channels of a job whose train channel is libsvm or recordio-protobuf.

    Parameters
    ----------
    opened
        The train channel.
    context
        The job.

    Raises
    ------
    UserError
        A hyperparameter names a column: these formats have none.
    """

    def __init__(self, opened: OpenChannel, context: Context) -> None:
        named = [name for name in _COLUMNS if getattr(context.hp, name)]
        if named:
            raise UserError(
                f"hyperparameter {named[0]} names a column, and {opened.format} has none: a "
                "row there carries its own label, weight and query; leave it out, or give CSV"
            )
        self._context, self._opened = context, opened
        self.schema = Schema(())
        self.target = Target("regression", Labels(None), np.zeros(0, np.float32))
        self.quality: dict[str, MakeQuality] = {}

    def train(self) -> tuple[Dataset, Target]:
        """Read the train channel, and learn the features and the label from it.

        Raises
        ------
        UserError
            The data is at fault; file and row are named.
        """
        hp, known, world = self._context.hp, self._context.known, self._context.world
        if known is not None:
            _refuse_columns(known.schema, self._opened.format)
            self.schema = known.schema
            learned = engine.objective_named(known.objective).task
            self.target = Target(learned, known.labels, self.target.y)
            data = self.other(self._opened)
            return data, replace(self.target, y=data.y)
        table = self._read(self._opened)
        spans = [
            span for span in world.gather([table.lowest, table.highest]) if span[1] is not None
        ]
        self.schema = sparse_schema(
            min((low for low, _ in spans), default=None),
            max((high for _, high in spans), default=None),
            indexing=hp.libsvm_indexing,
            declared=self._opened.counts_from_zero,
        )
        task = engine.objective_named(hp.objective).task if hp.objective else None
        label = table.table
        if task in CLASSES:
            label = label_as_text(label)
            share_texts(label, world.gather, world.rank)
        self.target = learn_target(
            label, LABEL, task=task, num_class=hp.num_class, positive_label=hp.positive_label
        )
        return self._dataset(table, self.target, self._opened), self.target

    def other(self, opened: OpenChannel) -> Dataset:
        """Read another channel by what the train channel taught.

        Raises
        ------
        UserError
            The data is at fault, or has columns; file and row are named.
        """
        if not opened.is_sparse:
            raise UserError(
                f"channel {opened.channel.name!r} holds {opened.format}, but the train channel "
                f"{self._opened.format}, whose features have no names; give both in one format"
            )
        table = self._read(opened)
        target = self.target
        y = encode_target(table.table, LABEL, task=target.task, labels=target.labels)
        return self._dataset(table, Target(target.task, target.labels, y), opened)

    def _read(self, opened: OpenChannel) -> SparseTable:
        return read_sparse(
            opened.files,
            opened.blocks,
            budget=memory_budget(self._context.hp),
            check=self._context.check,
            may_be_empty=self._context.world.size > 1,
        )

    def _dataset(self, table: SparseTable, target: Target, opened: OpenChannel) -> Dataset:
        name = opened.channel.name
        features = SparseFeatures(table, self.schema, declared=opened.counts_from_zero)
        self.quality[name] = partial(
            sparse_quality, table, features, self.schema, target, train=name == "train"
        )
        data = Dataset(
            features,
            target.y,
            weight=table.weights,
            group=table.groups,
        )
        return data if table.groups is None else side_by_side(data, table.groups)


def _refuse_columns(schema: Schema, kind: str) -> None:
    """Refuse to go on from a model whose columns these formats cannot hold.

    Raises
    ------
    UserError
        Naming the first column that is no number.
    """
    odd = next((column for column in schema.columns if column.kind != "number"), None)
    if odd is not None:
        raise UserError(
            f"the model in the model channel has the {odd.kind} column {odd.name!r}, and {kind} "
            "holds numbers alone; give the train channel in the format that the model was trained "
            "on, or leave the model channel out"
        )
