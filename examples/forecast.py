"""Forecasting, with an honest test: does a lasso on many series beat a series' own past?

How much will US unemployment change in the next quarter? Candidates are the last four quarters of eleven
series (growth rates, or differences of rates): 44 features, of which the own past of unemployment is four.
Three rules keep the future out:

1. *Lags only.* The features of a quarter are known at its start.
2. *Validation in order of time.* alpha is chosen on 1960 to 1984 by ten expanding windows, each of which
   trains on the past and is tested on the next four quarters (`sklearn.model_selection.TimeSeriesSplit`,
   which `riata.cv_path` takes as ``cv``). Shuffled folds would let a model see both neighbours of a quarter
   that it is tested on.
3. *One final stretch*, 1985 to 2009, has no part in any choice. The alpha stays; each quarter the
   coefficients are fitted again to all that has passed. (The figures are revised ones, not what was published
   at the time.)

The baseline is an autoregression: least squares on the own last four quarters. Here it wins. The lasso beats
the plain mean, but what ten more series say beyond the own past does not pay for what it costs to learn it
from a hundred quarters, and the penalty shrinks the own past, too. So the own past can be left unpenalised,
``penalty_factor`` 0 for its lags: at a strong penalty this is the autoregression, and the path goes on from
there. Of its alphas the best score still takes other series in, and forecasts no better; the largest within a
standard error of it (``alpha_rule="1se"``) takes none, which is to say that the autoregression is as good as
these data can tell. Few samples, a strong and simple baseline, features that say the same thing: this outcome
is common, and the reason to always have a baseline.

In the shell, of a table with a column of dates: ``riata cv --matrix lags.csv --target change --time-order
date --covar own1,own2,own3,own4``, covariates being what is not penalised.

With ``--fred-md FILE`` the same is done for each month with FRED-MD (McCracken & Ng 2016, Federal Reserve
Bank of St. Louis, https://research.stlouisfed.org/econ/mccracken/fred-databases/, current.csv there): more
than a hundred series, three lags of each and a year of the own past, 29 years to learn from, and a final
stretch of 1990 to 2019. With the data of September 2023 the lasso wins. The file is not part of riata, as it
has a licence of its own.

    python examples/forecast.py [FOLDER] [--fred-md FILE]
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lesson import BLUE, GREY, INK, LASSO, RIDGE, SOFT, arguments, blank_figure, run
from matplotlib.figure import Figure
from sklearn.model_selection import TimeSeriesSplit

import riata

DATA = Path(__file__).resolve().parent / "data" / "macrodata.csv"


@dataclass(frozen=True)
class Panel:
    """Stationary series (T, m) at dates in years, which to forecast, and over which lags."""

    dates: Any
    names: list[str]
    series: Any
    target: str
    lags: int
    own_lags: int
    test_from: float
    period: str


def load_macrodata() -> Panel:
    """Read the quarterly data that come with this example, as growth in % a year or differences."""
    table = np.genfromtxt(DATA, delimiter=",", names=True)
    growing = ["realgdp", "realcons", "realinv", "realgovt", "realdpi", "m1", "pop"]
    rates = ["unemp", "tbilrate", "infl", "realint"]
    series = [400.0 * np.diff(np.log(table[name])) for name in growing] + [
        np.diff(table[name]) for name in rates
    ]
    dates = (table["year"] + (table["quarter"] - 1.0) / 4.0)[1:]
    return Panel(dates, growing + rates, np.column_stack(series), "unemp", 4, 4, 1985.0, "quarter")


def load_fred_md(file: Path) -> Panel:
    """Read a FRED-MD file, make each series stationary as its second line says, keep those without gaps."""
    with open(file, newline="", encoding="utf-8") as lines:
        header, codes, *rows = list(csv.reader(lines))
    rows = [row for row in rows if row and row[0]]
    levels = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows])
    months = [date.split("/") for date in (row[0] for row in rows)]
    dates = np.array([int(year) + (int(month) - 1) / 12.0 for month, _, year in months])
    changed = np.column_stack(
        [stationary(x, int(float(code))) for x, code in zip(levels.T, codes[1:], strict=True)]
    )
    changed, dates = changed[12:-3], dates[12:-3]  # lost to differences; not yet published
    whole = ~np.isnan(changed).any(axis=0)
    names = [name for name, ok in zip(header[1:], whole, strict=True) if ok]
    return Panel(dates, names, changed[:, whole], "UNRATE", 3, 12, 1990.0, "month")


def stationary(x, code):
    """Transform by FRED-MD code: 1 none, 2 and 3 differences, 4 log, 5 and 6 its differences, 7 of growth."""
    if code == 7:
        return np.concatenate([[np.nan, np.nan], np.diff(x[1:] / x[:-1] - 1.0)])
    x = np.log(x) if code in (4, 5, 6) else x
    order = {1: 0, 2: 1, 3: 2, 4: 0, 5: 1, 6: 2}[code]
    return np.concatenate([np.full(order, np.nan), np.diff(x, order)])


def lagged(series, first, lags):
    """Return rows for times first, first + 1, ...: all series one time before, two times before, ..."""
    return np.hstack([series[first - lag : len(series) - lag] for lag in range(1, lags + 1)])


def lesson(fred_md: Path | None = None) -> dict[str, Figure]:
    """Choose alpha in order of time, forecast the final stretch, compare with an autoregression."""
    panel = load_macrodata() if fred_md is None else load_fred_md(fred_md)
    own = panel.series[:, [panel.names.index(panel.target)]]
    first = panel.own_lags
    y, dates = own[first:, 0], panel.dates[first:]
    own_past = lagged(own, first, panel.own_lags)
    others = np.delete(panel.series, panel.names.index(panel.target), axis=1)
    X = np.hstack([own_past, lagged(others, first, panel.lags)])
    n_past = int(np.sum(dates < panel.test_from))
    print(f"{len(panel.names)} series, {X.shape[1]} features; {n_past} {panel.period}s to learn from, "
          f"{len(y) - n_past} to forecast")  # fmt: skip

    splits = TimeSeriesSplit(n_splits=10, test_size=n_past // 20)
    free = np.repeat([0.0, 1.0], [panel.own_lags, X.shape[1] - panel.own_lags])  # the own past: no penalty
    models = {}
    for name, factor, rule in (
        ("lasso", np.ones(X.shape[1]), "min"),
        ("own past free", free, "min"),
        ("own past free, 1 se", free, "1se"),
    ):
        cv = riata.cv_path(
            X[:n_past], y[:n_past], cv=splits, penalty_factor=factor, alpha_rule=rule, n_threads=1
        )
        models[name] = (cv.alpha, factor)
    for train, test in splits.split(X[:n_past]):
        assert train.max() < test.min()

    forecasts = {name: [] for name in ("mean", "autoregression", *models)}
    kept = {"mean": (0, 0), "autoregression": (panel.own_lags, 0)}
    intercept = np.ones((len(y), 1))
    for t in range(n_past, len(y)):
        for name, (alpha, factor) in models.items():
            model = riata.Lasso(alpha, penalty_factor=factor, standardize=True, n_threads=1)
            forecasts[name].append(model.fit(X[:t], y[:t]).predict(X[t : t + 1])[0])
            active = model.coef_ != 0.0  # of the last fit, in the end
            kept[name] = (active[: panel.own_lags].sum(), active[panel.own_lags :].sum())
        A = np.hstack([intercept, own_past])
        forecasts["autoregression"].append(A[t] @ np.linalg.lstsq(A[:t], y[:t], rcond=None)[0])
        forecasts["mean"].append(y[:t].mean())
    truth, when = y[n_past:], dates[n_past:]
    errors = {name: truth - np.array(values) for name, values in forecasts.items()}
    quiet = when < 2020.0  # one month of 2020 outweighs thirty years of squared errors
    rmse = {name: np.sqrt(np.mean(e[quiet] ** 2)) for name, e in errors.items()}
    print(f"root mean squared error in points, {when[0]:.0f} to {when[quiet][-1] // 1:.0f}, and lags in use")
    print(f"  {'':20} {'error':>6}  {'own':>4} {'other':>5}" + ("" if quiet.all() else "   with later years"))
    for name, value in rmse.items():
        late = "" if quiet.all() else f"   {np.sqrt(np.mean(errors[name] ** 2)):.3f}"
        print(f"  {name:20} {value:6.4f}  {kept[name][0]:4} {kept[name][1]:5}{late}")
    gain = (errors["autoregression"] ** 2 - errors["lasso"] ** 2)[quiet]
    size = gain.mean() / (gain.std() / np.sqrt(len(gain)))
    print(f"mean gain of the lasso in squared error: {size:+.1f} standard errors")
    if fred_md is None:
        assert rmse["autoregression"] < rmse["lasso"] < rmse["mean"]
        assert kept["own past free, 1 se"] == (4, 0)  # the autoregression itself
        assert abs(rmse["own past free, 1 se"] - rmse["autoregression"]) < 1e-4
    name = "forecast" if fred_md is None else "forecast-fred-md"
    return {name: picture(panel, splits, dates[:n_past], when[quiet], truth[quiet], forecasts, gain, rmse)}


def picture(panel, splits, past, when, truth, forecasts, gain, rmse):
    """Draw forecasts and outcomes, the splits, and who was ahead when."""
    figure = blank_figure(5.6)
    axes = figure.subplot_mosaic([["forecasts", "forecasts"], ["splits", "gain"]])

    ax = axes["forecasts"]
    n = len(when)
    ax.plot(when, truth, color=GREY, marker=".", ms=4, lw=0.8, label="outcome")
    ax.plot(when, forecasts["autoregression"][:n], **RIDGE | {"lw": 1.5}, label="autoregression")
    ax.plot(when, forecasts["lasso"][:n], **LASSO | {"lw": 1.5}, label="lasso")
    ax.set_title(
        f"the final stretch: root mean squared error {rmse['lasso']:.3f} (lasso), "
        f"{rmse['autoregression']:.3f} (autoregression)"
    )
    ax.set_ylabel(f"change of unemployment\n(points a {panel.period})")
    ax.legend(loc="upper center", ncols=3)
    ax.margins(x=0.01, y=0.12)

    ax = axes["splits"]
    for k, (train, test) in enumerate(splits.split(past)):
        ax.barh(k, past[train[-1]] - past[0], left=past[0], color=GREY, height=0.6)
        ax.barh(k, past[test[-1]] - past[test[0] - 1], left=past[test[0] - 1], color=BLUE, height=0.6)
    ax.set(title="choosing alpha: train (grey), test (blue)", ylabel="split", yticks=range(0, 10, 3))
    ax.set_yticks(range(0, 10, 3), [str(k + 1) for k in range(0, 10, 3)])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)

    ax = axes["gain"]
    ax.plot(when, np.cumsum(gain), color=INK, lw=1.8)
    ax.axhline(0.0, color=SOFT, lw=0.9)
    ax.set(title="the lasso's lead (falling: it loses)", ylabel="squared error saved so far")
    return figure


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--fred-md", type=Path, metavar="FILE", help="a FRED-MD file to use instead")
    given = parser.parse_args()
    for written in run(lambda: lesson(given.fred_md), given.folder, given.kind):
        print("wrote", written)
