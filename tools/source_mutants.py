"""The mutants of the sources and of write-behind, for tools/mutants: name, file, the guard's text, its replacement."""

SOURCE = "src/source/"

MUTANTS = [
]
