"""Which column is what: by the hyperparameters, or as an earlier model had them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.errors import UserError
from churn_daal.tabular.batch import Reader
from churn_daal.tabular.roles import RoleNames, Roles
from churn_daal.tabular.schema import Schema
from churn_daal.training.channels import OpenChannel


def role_names(hp: Hyperparameters, opened: OpenChannel) -> RoleNames:
    """Return the columns that the hyperparameters name."""
    # AWS's second column; beside a named one the parser refuses it.
    weight = "1" if hp.csv_weights and opened.format == "csv" else hp.weight
    return RoleNames(
        label=hp.label,
        weight=weight,
        group=hp.group,
        label_lower_bound=hp.label_lower_bound,
        label_upper_bound=hp.label_upper_bound,
        base_margin=hp.base_margin,
        id_columns=hp.id_columns,
        drop_columns=hp.drop_columns,
        categorical_columns=hp.categorical_columns,
        category_encoding=cast("Any", hp.category_encoding),
        max_onehot_categories=hp.max_onehot_categories,
    )


def in_order(roles: Roles, reader: Reader, schema: Schema) -> Roles:
    """Return the roles with the features in a schema's order.

    Raises
    ------
    UserError
        The features are not the schema's.
    """
    names = [reader.names[p] if reader.names else f"f{i}" for i, p in enumerate(roles.features)]
    if set(names) != set(schema.names):
        listed = ", ".join(schema.names[:30])
        odd = min(set(names) ^ set(schema.names))
        raise UserError(
            f"{reader.files[0].name}: the columns are not those of the model in the model channel, "
            f"which are {listed}; {odd!r} is in one of them alone. Train on the same columns, or "
            "leave the model channel out"
        )
    places = dict(zip(names, roles.features, strict=True))
    return replace(roles, features=tuple(places[name] for name in schema.names))
