/**
 * The whole file system from one seed: random operations of several clients in a stepped world, judged by a model in memory, with
 * faults, remounts and every crash that the recorded writes allow.
 */
package io.hammer2.fs.simulation;
