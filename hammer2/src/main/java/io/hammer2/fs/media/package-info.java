/**
 * The media form of every HAMMER2 structure: the only package that knows an offset.
 *
 * <p>Three shapes, by what becomes of the bytes (all little-endian, hammer2-format section 1):
 *
 * <ul>
 *   <li>a <em>view</em> ({@link io.hammer2.fs.media.VolumeHeader}, {@link io.hammer2.fs.media.InodeBlock},
 *       {@link io.hammer2.fs.media.BlockTable} ...) reads and writes the segment of whoever owns it, and copies nothing;
 *   <li>a <em>value</em> ({@link io.hammer2.fs.media.BlockRef}) is copied out and immutable, and may go anywhere;
 *   <li>a <em>code</em> ({@link io.hammer2.fs.media.BlockType}, {@link io.hammer2.fs.media.FileType} ...) is an enum, whose
 *       {@code of} throws on a number that the format does not define.
 * </ul>
 *
 * <p>Start at {@link io.hammer2.fs.media.BlockRef}: a volume is a tree of these, rooted in the volume header.
 *
 * <pre>
 * VolumeHeader ─ sroot blockset ─► super-root InodeBlock ─► PFS root InodeBlock ─┬► InodeBlock ─► DataBlock
 *       │                          (IndirectBlocks anywhere between)             └► directory entries
 *       └────── freemap blockset ─► FreemapNode ... ─► FreemapLeaf
 * </pre>
 */
package io.hammer2.fs.media;
