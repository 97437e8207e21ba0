/** Linux: the kernel's FUSE protocol spoken directly on /dev/fuse, from the event loops of the LWKT cpus. */
package io.hammer2.fuse.kernel;
