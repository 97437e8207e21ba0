/**
 * Block devices for tests: in memory, with faults, with a memory of all that happened to them. Not in the test folder, so that
 * every module's tests can use them.
 */
package io.hammer2.blockdev.testing;
