/**
 * The only way to a block: nothing is used before its check code matched.
 *
 * <p>Each cpu has a {@link io.hammer2.fs.io.BlockIo} of its own with a cache of verified, decompressed, immutable blocks, so
 * that nothing here is shared and nothing is locked. A load starts device I/O, suspends the asking thread and lets the cpu go
 * on; whoever asks for the same block meanwhile joins that load.
 */
package io.hammer2.fs.io;
