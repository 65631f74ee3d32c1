"""Losses of one linear predictor in double precision, from their definitions: values, slopes, conjugates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from riata._validation import Float
from riata.path import expit

__all__ = ["Loss", "LossOfRows", "TotalLoss", "loss_of"]

Elementwise = Callable[[Float], Float]


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss f at given responses; all functions take and return a number a sample.

    Attributes
    ----------
    value : f(eta)
    residual : -f'(eta)
    curvature : f''(eta); for the Huber loss, 0 at its kinks
    minus_conjugate : rho -> -f*(-rho), which is at most f(eta) + rho eta at any eta; -inf outside the domain
    """

    value: Elementwise
    residual: Elementwise
    curvature: Elementwise
    minus_conjugate: Elementwise


class TotalLoss(Protocol):
    """F of a linear predictor, one number a row, as a certificate under a budget needs it."""

    def value(self, eta: Float) -> float:
        """F(eta)."""

    def slope(self, eta: Float) -> Float:
        """u = -F'(eta)."""

    def hessian(self, eta: Float, Z: Float) -> Float:
        """Z' F''(eta) Z."""

    def certificate(self, eta: Float, Z: Float, offset: Float) -> tuple[Float, float]:
        """Some u near -F'(eta) with Z'u = 0, and -F*(-u) - offset'u, where Z'F' is 0 at eta but for rounding.

        -inf where -u leaves the domain of F*.
        """


class LossOfRows:
    """F(eta) = Σ omega_i f_i(eta_i)."""

    def __init__(self, loss: Loss, omega: Float) -> None:
        self.loss, self.omega = loss, omega

    def value(self, eta: Float) -> float:
        """See `TotalLoss`, as for the others."""
        return float(self.omega @ self.loss.value(eta))

    def slope(self, eta: Float) -> Float:
        return self.omega * self.loss.residual(eta)

    def hessian(self, eta: Float, Z: Float) -> Float:
        return np.asarray(Z.T @ ((self.omega * self.loss.curvature(eta))[:, None] * Z))

    def certificate(self, eta: Float, Z: Float, offset: Float) -> tuple[Float, float]:
        """What is left of Z'u is taken out in proportion to the curvature, which keeps u in the domain."""
        rho = self.loss.residual(eta)
        if Z.shape[1]:
            left = np.linalg.lstsq(self.hessian(eta, Z), Z.T @ (self.omega * rho), rcond=None)[0]
            rho = rho - self.loss.curvature(eta) * (Z @ left)
        return self.omega * rho, float(self.omega @ (self.loss.minus_conjugate(rho) - offset * rho))


def loss_of(name: str, y: Float, huber_delta: float) -> Loss:
    """The loss called `name` at responses y; see the table of losses in `fit_path`."""
    makers = {"gaussian": _gaussian, "binomial": _binomial, "poisson": _poisson}
    return _huber(y, huber_delta) if name == "huber" else makers[name](y)


def _gaussian(y: Float) -> Loss:
    return Loss(
        value=lambda eta: 0.5 * (y - eta) ** 2,
        residual=lambda eta: y - eta,
        curvature=np.ones_like,
        minus_conjugate=lambda rho: rho * (y - 0.5 * rho),
    )


def _huber(y: Float, delta: float) -> Loss:
    def value(eta: Float) -> Float:
        size = np.abs(y - eta)
        inner = np.minimum(size, delta)
        return np.asarray(inner * (size - 0.5 * inner))

    return Loss(
        value=value,
        residual=lambda eta: np.clip(y - eta, -delta, delta),
        curvature=lambda eta: (np.abs(y - eta) < delta).astype(np.float64),
        minus_conjugate=lambda rho: np.where(np.abs(rho) <= delta, rho * (y - 0.5 * rho), -np.inf),
    )


def _binomial(y: Float) -> Loss:
    from scipy.special import entr  # -inf below 0

    return Loss(
        value=lambda eta: y * np.logaddexp(0.0, -eta) + (1.0 - y) * np.logaddexp(0.0, eta),
        residual=lambda eta: np.where(y == 1.0, expit(-eta), y - expit(eta)),
        curvature=lambda eta: expit(eta) * expit(-eta),
        minus_conjugate=lambda rho: entr(y - rho) + entr((1.0 - y) + rho),
    )


def _poisson(y: Float) -> Loss:
    from scipy.special import entr, xlogy

    def mean(eta: Float) -> Float:
        with np.errstate(over="ignore"):  # infinity, on which a search goes back
            return np.asarray(np.exp(eta))

    return Loss(
        value=lambda eta: mean(eta) - y * eta - y + xlogy(y, y),
        residual=lambda eta: y - mean(eta),
        curvature=mean,
        minus_conjugate=lambda rho: entr(y - rho) - rho + xlogy(y, y),  # of the mean y - rho
    )
