"""The head of a fine-tuned network: what turns its penultimate rows into classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import TrainingError
from penult.finetuning.calibration import probabilities
from penult.representation import short_repr
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

__all__ = ["Head", "HiddenLayer"]


@short_repr
@dataclass(frozen=True, kw_only=True, eq=False)
class HiddenLayer:
    """A dense layer with a ReLU behind it.

    Attributes
    ----------
    weight : float32 array, shape (H, D)
        As ``torch.nn.Linear`` has it.
    bias : float32 array, shape (H,)
        Added before the ReLU.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@short_repr
@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """Dense layers from the penultimate row to one logit a class.

    Attributes
    ----------
    weight : float32 array, shape (K, H)
        Of the last layer; H is the width of what comes before it.
    bias : float32 array, shape (K,)
        Of the last layer.
    label_names : tuple of str, length K
        The classes, in the order of the logits; two or more.
    hidden : tuple of HiddenLayer
        What comes before the last layer, the first one first; empty in a linear head.
    thresholds : tuple of float or None
        Of each of the K labels, the probability from which it is predicted; None where an image
        has one label.
    temperature : float
        What logits are divided by to become those of calibrated probabilities (Guo et al. 2017);
        1 where nothing was calibrated.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    label_names: tuple[str, ...]
    hidden: tuple[HiddenLayer, ...] = ()
    thresholds: tuple[float, ...] | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        width = None
        layers = [*((x.weight, x.bias) for x in self.hidden), (self.weight, self.bias)]
        for weight, bias in layers:
            rows, columns = weight.shape
            if bias.shape != (rows,) or width not in (None, columns):
                raise ValueError("the layers of the head do not fit together")
            width = rows
        if width != len(self.label_names):
            raise ValueError(f"{count(len(self.label_names), 'class')} for {width} logits")
        if len(self.label_names) < 2:
            raise TrainingError("a head for one class says nothing; give images of two or more")
        if self.thresholds is not None and len(self.thresholds) != width:
            raise ValueError("not one threshold a label")
        if not self.temperature > 0:
            raise ValueError(f"a temperature of {self.temperature}")

    @classmethod
    def of(
        cls,
        module: nn.Module,
        label_names: tuple[str, ...],
        *,
        thresholds: tuple[float, ...] | None = None,
        temperature: float = 1.0,
    ) -> Head:
        """Copy the weights of a torch module.

        Parameters
        ----------
        module : torch.nn.Module
            A ``Linear``, or a ``Sequential`` of them with a ``ReLU`` behind each but the last;
            ``Dropout``, ``Identity`` and ``Flatten`` may stand between them, and do nothing to
            rows in eval mode.
        label_names, thresholds, temperature
            See the attributes.

        Returns
        -------
        Head
            In float32, on the CPU.

        Raises
        ------
        TypeError
            If the module is anything else.
        """
        *hidden, (weight, bias) = _dense_layers(module)
        return cls(
            weight=weight,
            bias=bias,
            label_names=tuple(label_names),
            hidden=tuple(HiddenLayer(weight=w, bias=b) for w, b in hidden),
            thresholds=thresholds,
            temperature=temperature,
        )

    @property
    def name(self) -> str:
        """As ``--head`` names it: ``"linear"``, or ``"mlp:1024"``."""
        widths = ",".join(str(len(layer.bias)) for layer in self.hidden)
        return f"mlp:{widths}" if widths else "linear"

    @property
    def width(self) -> int:
        """How many numbers a row has that it takes."""
        first = self.hidden[0].weight if self.hidden else self.weight
        return int(first.shape[1])

    @cached_property
    def calibrated(self) -> Head:
        """The same with the temperature in its last layer."""
        divided = np.float32(self.temperature)
        return replace(
            self, weight=self.weight / divided, bias=self.bias / divided, temperature=1.0
        )

    def logits(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Compute the logits, before the temperature.

        In double precision, so that those of a row do not depend on what rows are beside it.

        Parameters
        ----------
        rows : array, shape (N, D)
            Penultimate rows.

        Returns
        -------
        float64 array, shape (N, K)
        """
        found = np.asarray(rows, np.float64)
        for layer in self.hidden:
            found = np.maximum(found @ layer.weight.T + layer.bias, 0)
        result: NDArray[np.float64] = found @ self.weight.T + self.bias
        return result

    def probabilities(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Compute calibrated probabilities, as the classifier made of it gives them.

        Parameters
        ----------
        rows : array, shape (N, D)
            Penultimate rows.

        Returns
        -------
        float64 array, shape (N, K)
            Softmax of the logits over the temperature; of several labels, the logistic function.
        """
        several = self.thresholds is not None
        return probabilities(self.logits(rows), several=several, temperature=self.temperature)


def _dense_layers(module: nn.Module) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    from torch import nn

    layers = []
    rectified = True
    for part in _parts(module):
        if isinstance(part, nn.Linear):
            if not rectified:
                raise TypeError("a head with two Linear layers and no ReLU between them")
            bias = part.weight.new_zeros(part.out_features) if part.bias is None else part.bias
            layers.append((_array(part.weight), _array(bias)))
            rectified = False
        elif isinstance(part, nn.ReLU):
            rectified = True
        elif not isinstance(part, nn.Dropout | nn.Identity | nn.Flatten):
            raise TypeError(f"a head with a layer {type(part).__name__}")
    if rectified or not layers:
        raise TypeError("a head that does not end in a Linear layer")
    return layers


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return np.array(tensor.detach().cpu().float().numpy())


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    children = list(module.children())
    if not children:
        yield module
    for child in children:
        yield from _parts(child)
