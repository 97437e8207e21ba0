/**
 * Check codes and compression: pure functions on segments, knowing neither a device nor a block reference.
 *
 * <p>Every input is taken to be hostile. What does not decode ends in a {@link io.hammer2.fs.codec.CodecException}, whose
 * catcher adds the block reference; it never ends in zeros, and never in more memory than the caller's own buffers.
 */
package io.hammer2.fs.codec;
