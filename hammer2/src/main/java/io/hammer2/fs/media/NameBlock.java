package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;

/** The name of a directory entry that is too long for its reference: at the start, the rest zero (section 10.1). */
public record NameBlock(MemorySegment bytes) implements Block {}
