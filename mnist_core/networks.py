"""The networks as torch modules. Each takes normalised images (B, 1, 28, 28), float32, and gives logits (B, 10)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid,
    "identity": nn.Identity,
}


class MLP(nn.Module):
    """Linear layers with a non-linearity between them; `hidden` holds the sizes of the layers in between."""

    def __init__(self, hidden: Sequence[int] = (64,), activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        size = 28 * 28
        for units in hidden:
            layers += [nn.Linear(size, units), ACTIVATIONS[activation]()]
            if dropout:
                layers.append(nn.Dropout(dropout))
            size = units
        layers.append(nn.Linear(size, 10))
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)  # (B, 1, 28, 28) -> (B, 10)
        return logits


class Softmax(MLP):
    """Multinomial logistic regression: one linear layer from the 784 pixels to the ten digits."""

    def __init__(self) -> None:
        super().__init__(hidden=())


def _convolution(inputs: int, outputs: int, padding: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, padding=padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


class ConvNet(nn.Module):
    """A convolutional network that reads better than CNN and takes longer; `width` is its first convolutions' channels.

    Two convolutions on 12 x 12 places, two with half as many channels again on 6 x 6, and the mean over the places
    that are left, so that most of its few parameters are in the convolutions.
    """

    def __init__(self, width: int = 32, dropout: float = 0.0) -> None:
        super().__init__()
        wide = width * 3 // 2
        self.features = nn.Sequential(
            nn.PixelUnshuffle(2),  # (B, 1, 28, 28) -> (B, 4, 14, 14)
            *_convolution(4, width, padding=0),  # (B, width, 12, 12)
            *_convolution(width, width),  # (B, width, 12, 12)
            nn.MaxPool2d(2),  # (B, width, 6, 6)
            *_convolution(width, wide),  # (B, wide, 6, 6)
            *_convolution(wide, wide, padding=0),  # (B, wide, 4, 4)
            nn.AdaptiveAvgPool2d(1),  # (B, wide, 1, 1)
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(wide, 10))
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        features = self.features(images)  # (B, wide, 1, 1)
        logits: Tensor = self.classifier(features)  # (B, 10)
        return logits


class CNN(nn.Module):
    """A compact convolutional network for a CPU; `width` is the channels of its first two convolutions.

    Folding each 2 x 2 block of pixels into channels (pixel unshuffle) and pooling right behind the first convolution
    leave little arithmetic; channels-last is the order in which the CPU's convolutions are fastest. The first
    convolution is not padded: MNIST's border is blank.
    """

    def __init__(self, width: int = 32, dropout: float = 0.0) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.PixelUnshuffle(2),  # (B, 1, 28, 28) -> (B, 4, 14, 14)
            nn.Conv2d(4, width, 3, bias=False),  # (B, width, 12, 12)
            nn.MaxPool2d(2),  # (B, width, 6, 6)
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),  # (B, width, 6, 6)
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, bias=False),  # (B, 2 width, 4, 4)
            nn.MaxPool2d(2),  # (B, 2 width, 2, 2)
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(2 * width * 2 * 2, 10))
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        features = self.features(images)  # (B, 2 width, 2, 2)
        logits: Tensor = self.classifier(features)  # (B, 10)
        return logits


class Sum(nn.Module):
    """Adds what came into a block to what the block made of it; a module of its own so that hooks see it."""

    def forward(self, made: Tensor, taken: Tensor) -> Tensor:
        return made + taken


class Residual(nn.Module):
    """A convolution with a shortcut around it (He, Zhang, Ren and Sun, 2015); the shape stays as it is."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.sum = Sum()
        self.activation = nn.ReLU()

    def forward(self, taken: Tensor) -> Tensor:
        given: Tensor = self.activation(self.sum(self.branch(taken), taken))
        return given


class ResNet(nn.Module):
    """Convolutions with shortcuts around some of them; `width` is the channels on 14 x 14 places.

    The first kernels are large and see all pixels, most of the arithmetic is on 14 x 14 places and most of the weights
    are on 7 x 7.
    """

    def __init__(self, width: int = 32, dropout: float = 0.0) -> None:
        super().__init__()
        narrow, wide = width // 2, 2 * width
        self.features = nn.Sequential(
            nn.Conv2d(1, narrow, 5, stride=2, padding=2, bias=False),  # (B, width / 2, 14, 14)
            nn.BatchNorm2d(narrow),
            nn.ReLU(),
            *_convolution(narrow, width),  # (B, width, 14, 14)
            Residual(width),
            nn.MaxPool2d(2),  # (B, width, 7, 7)
            *_convolution(width, wide),  # (B, 2 width, 7, 7)
            Residual(wide),
            *_convolution(wide, wide, padding=0),  # (B, 2 width, 5, 5)
            nn.AdaptiveAvgPool2d(1),  # (B, 2 width, 1, 1)
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(wide, 10))
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        features = self.features(images)  # (B, 2 width, 1, 1)
        logits: Tensor = self.classifier(features)  # (B, 10)
        return logits
