// The one translation unit of the precompiled header.
