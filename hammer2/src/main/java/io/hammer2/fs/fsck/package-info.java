/**
 * The independent verifier behind {@code fsck_hammer2}: its own traversal of a volume over {@code media}, {@code codec} and
 * {@code blockdev}, sharing no code with the mount whose bugs it is there to find. It reads only.
 *
 * <p>Way in: {@link io.hammer2.fs.fsck.Fsck#check}. What it verifies is section 21 of the format specification, turned round.
 */
package io.hammer2.fs.fsck;
