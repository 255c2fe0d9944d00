"""What a run could not bring into Port, all of it, as a file that can be read, edited and sent again."""

from portsync.dead_letters.letter import Header, Letter
from portsync.dead_letters.reading import LetterFile, Line
from portsync.dead_letters.replacement import Replacement
from portsync.dead_letters.writing import DeadLetters, letter_line

__all__ = ["DeadLetters", "Header", "Letter", "LetterFile", "Line", "Replacement", "letter_line"]
