/**
 * File data from its logical blocks to the medium. The space was reserved when a block turned dirty; then each block is
 * compressed, (sealed, once there is encryption,) and checked, a pure function on any cpu ({@link
 * io.hammer2.fs.pipeline.BlockEncoder}); and on the volume cpu, in order, looked up among the known ones, given a place, and
 * written ({@link io.hammer2.fs.pipeline.DataPipeline}).
 */
package io.hammer2.fs.pipeline;
