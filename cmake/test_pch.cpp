// The owner of the header that every test executable shares precompiled.
