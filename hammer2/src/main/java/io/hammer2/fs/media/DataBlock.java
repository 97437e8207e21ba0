package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;

/** A block of file data, decompressed or as stored (section 11). */
public record DataBlock(MemorySegment bytes) implements Block {}
