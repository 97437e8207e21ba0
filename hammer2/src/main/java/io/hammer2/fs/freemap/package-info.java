/**
 * Which bytes of the volume are in use (format section 6).
 *
 * <p>{@link io.hammer2.fs.freemap.Freemap} has the map of all; {@link io.hammer2.fs.freemap.SegmentLease} is one 4 MiB segment
 * of it, lent, from which blocks are allocated without asking anybody.
 */
package io.hammer2.fs.freemap;
