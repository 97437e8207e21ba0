/**
 * The commands, thin: arguments, output, exit codes. Nothing here that a user of the library would miss.
 *
 * <p>Exit codes: fsck_hammer2 0, 4, 8, 16; newfs_hammer2 0, 8, 16; mount_hammer2 0, 32; hammer2 0, 1, 2 (usage).
 */
package io.hammer2.tools;
