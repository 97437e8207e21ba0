/**
 * Block devices: where a volume's bytes are, and what a crash may do to them.
 *
 * <p>This is the edge between the file system and the operating system's blocking calls, so it is the one module beside
 * lwkt-runtime that has platform threads and {@code java.util.concurrent} in it. Nothing here yields: a caller's thread is
 * never suspended by {@link io.hammer2.blockdev.BlockDevice#read read} and its siblings, it is told through an
 * {@link io.hammer2.blockdev.IoCompletion}.
 */
package io.hammer2.blockdev;
