/**
 * Inodes: attributes, file content, directories. Each inode's gate guards it with all below it.
 *
 * <p>Start at {@link io.hammer2.fs.inode.FileData#read}.
 */
package io.hammer2.fs.inode;
