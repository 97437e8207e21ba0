package io.hammer2.blockdev;

import io.hammer2.blockdev.testing.CrashKind;
import io.hammer2.blockdev.testing.FaultyBlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Faults;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.blockdev.testing.ReorderingBlockDevice;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Nested;

/** The devices for tests keep the contract too: what is tested over them would otherwise be tested over something else. */
class TestingDevicesContractTest {
    private static final long SIZE = BlockDeviceContract.SIZE_MIN + 777;

    @Nested
    class Memory extends BlockDeviceContract {
        @Override
        BlockDevice create() {
            return new MemoryBlockDevice(SIZE);
        }
    }

    @Nested
    class MemoryOverMemory extends BlockDeviceContract {
        @Override
        BlockDevice create() {
            return MemoryBlockDevice.over(new MemoryBlockDevice(SIZE));
        }
    }

    @Nested
    class FaultyWithoutFaults extends BlockDeviceContract {
        @Override
        BlockDevice create() {
            return new FaultyBlockDevice(new MemoryBlockDevice(SIZE), 1, Faults.NONE);
        }
    }

    @Nested
    class Recording extends BlockDeviceContract {
        @Override
        BlockDevice create() {
            return RecordingBlockDevice.over(new MemoryBlockDevice(SIZE));
        }
    }

    @Nested
    class CrashState extends BlockDeviceContract {
        @Override
        BlockDevice create() throws IOException {
            return RecordingBlockDevice.over(new MemoryBlockDevice(SIZE))
                    .recording()
                    .crash(0, CrashKind.ALL, 1)
                    .open();
        }
    }

    /** With a thread that completes as fast as it can, in whatever order the seed gives. */
    @Nested
    class Reordering extends BlockDeviceContract {
        @Override
        BlockDevice create() {
            ReorderingBlockDevice device = new ReorderingBlockDevice(new MemoryBlockDevice(SIZE), 1);
            Thread.ofPlatform().daemon().start(() -> {
                while (!device.isClosed()) {
                    if (!device.completeOne()) {
                        LockSupport.parkNanos(20_000);
                    }
                }
            });
            return device;
        }
    }
}
