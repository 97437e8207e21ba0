/** HAMMER2 as FUSE operations: inode numbers are node ids, attributes are translated, errors get their numbers, ioctls answered. */
package io.hammer2.fuse.bridge;
