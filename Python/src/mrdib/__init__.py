"""Reads the runs, models and data sets of mrdib, and starts it. `Python/README.md` of the project
has a worked example."""

from .checkpoints import Checkpoint
from .dataset import Dataset
from .description import Modality
from .errors import FileError, MrdibError, MrdibWarning, ProgramError, UnknownIdError
from .model import BestModel
from .recommendations import Recommendations, RecommendedItem
from .records import Epoch, Metrics
from .run import Run
from .training import Training, train

__all__ = [
    "BestModel",
    "Checkpoint",
    "Dataset",
    "Epoch",
    "FileError",
    "Metrics",
    "Modality",
    "MrdibError",
    "MrdibWarning",
    "ProgramError",
    "Recommendations",
    "RecommendedItem",
    "Run",
    "Training",
    "UnknownIdError",
    "train",
]
__version__ = "0.1.0"
