/** Block devices: where a volume's bytes are, and what a crash may do to them. */
package io.hammer2.blockdev;
