package io.hammer2.tools;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.instruction.MonitorInstruction;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The arrows and the rules of docs/architecture.md, over the compiled classes of all modules. */
final class ArchitectureTest {
    private static final String LWKT = "io.hammer2.lwkt..";
    private static final String BLOCKDEV = "io.hammer2.blockdev..";
    private static final String FS = "io.hammer2.fs..";
    private static final String MEDIA = "io.hammer2.fs.media..";
    private static final String CODEC = "io.hammer2.fs.codec..";
    private static final String FUSE = "io.hammer2.fuse..";
    private static final String TOOLS = "io.hammer2.tools..";

    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            // Test support of a lower module is on the class path as a jar.
            .withImportOption(location -> !location.contains("-tests.jar") && !location.contains("test-classes"))
            .importPackages("io.hammer2");

    @Test
    void every_module_is_looked_at() {
        for (String name :
                List.of("lwkt", "blockdev", "fs.media", "fs.codec", "fs.fsck", "fs.newfs", "fuse.kernel", "tools")) {
            assertTrue(MAIN.stream().anyMatch(c -> c.getPackageName().equals("io.hammer2." + name)), name);
        }
    }

    @Test
    void modules_use_only_what_stands_to_their_right() {
        mayUse(LWKT).check(MAIN);
        mayUse(BLOCKDEV).check(MAIN);
        mayUse(FS, LWKT, BLOCKDEV, "net.jpountz..", "com.github.luben.zstd..").check(MAIN);
        mayUse(FUSE, FS, LWKT, "ru.serce.jnrfuse..", "jnr..").check(MAIN);
        mayUse(TOOLS, FUSE, FS, LWKT, BLOCKDEV, "picocli..", "me.tongfei.progressbar..")
                .check(MAIN);
    }

    @Test
    void media_is_pure_and_needs_the_jdk_only() {
        mayUse(MEDIA).check(MAIN);
    }

    @Test
    void codec_is_pure() {
        mayUse(CODEC, MEDIA, "net.jpountz..", "com.github.luben.zstd..").check(MAIN);
    }

    /** fsck must not share the code whose bugs it is there to find, and newfs not the code that will read what it writes. */
    @Test
    void fsck_newfs_and_recover_use_media_codec_and_devices_only() {
        mayUse("io.hammer2.fs.fsck..", MEDIA, CODEC, BLOCKDEV).check(MAIN);
        mayUse("io.hammer2.fs.newfs..", MEDIA, CODEC, BLOCKDEV).check(MAIN);
        mayUse("io.hammer2.fs.recover..", MEDIA, CODEC, BLOCKDEV).check(MAIN);
    }

    @Test
    void packages_of_the_file_system_use_only_what_stands_below_them() {
        mayUse("io.hammer2.fs.io..", MEDIA, CODEC, LWKT, BLOCKDEV).check(MAIN);
        noArrow("io.hammer2.fs.chain..", "io.hammer2.fs.inode..", "io.hammer2.fs.pfs..", "io.hammer2.fs.volume..");
        noArrow(
                "io.hammer2.fs.pipeline..",
                "io.hammer2.fs.chain..",
                "io.hammer2.fs.inode..",
                "io.hammer2.fs.pfs..",
                "io.hammer2.fs.volume..");
        noArrow("io.hammer2.fs.inode..", "io.hammer2.fs.pfs..", "io.hammer2.fs.volume..");
        noArrow("io.hammer2.fs.pfs..", "io.hammer2.fs.volume..");
    }

    @Test
    void transports_know_nothing_of_the_file_system() {
        noArrow("io.hammer2.fuse.kernel..", FS, "io.hammer2.fuse.bridge..", "io.hammer2.fuse.jnr..");
        noArrow("io.hammer2.fuse.jnr..", FS, "io.hammer2.fuse.bridge..");
        noClasses()
                .that()
                .resideInAPackage("io.hammer2.fuse")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(FS, "io.hammer2.fuse.kernel..", "io.hammer2.fuse.jnr..", "io.hammer2.fuse.bridge..")
                .check(MAIN);
    }

    /**
     * Tokens and gates serialise; a monitor or lock held by an LWKT thread that blocks would stop its cpu. The exceptions are
     * blockdev's own threads and test devices, which are entered by threads of any kind and never block while they hold one.
     */
    @Test
    void no_monitor_lock_or_volatile_outside_of_the_runtime() {
        noSynchronizedMethods().check(MAIN);
        noVolatileFields().check(MAIN);
        noLocks().check(MAIN);
        assertEquals(List.of(), classesWithMonitors(MAIN));
    }

    @Test
    void only_commands_end_the_process() {
        noExit().check(MAIN);
    }

    @Test
    void only_the_edges_bind_native_code() {
        noClasses()
                .that()
                .resideOutsideOfPackages(LWKT, BLOCKDEV, "io.hammer2.fuse.kernel..", "io.hammer2.fuse.jnr..", TOOLS)
                .and()
                .doNotHaveFullyQualifiedName("io.hammer2.fs.codec.Libdeflate")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.foreign.Linker")
                .check(MAIN);
    }

    @Test
    void nothing_runs_on_virtual_threads_or_a_shared_pool() {
        noClasses()
                .should()
                .callMethod(Thread.class, "startVirtualThread", Runnable.class)
                .orShould()
                .callMethod(Thread.class, "ofVirtual")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.concurrent.ForkJoinPool")
                .check(MAIN);
    }

    /** Without this, a mistake in a rule would look like a clean architecture. */
    @Test
    void each_rule_can_fail() {
        JavaClasses offenders = new ClassFileImporter().importPackages("io.hammer2.tools.offenders");
        assertTrue(offenders.size() > 0);
        for (ArchRule rule : List.of(
                mayUse("io.hammer2.tools.offenders..", LWKT),
                noSynchronizedMethods(),
                noVolatileFields(),
                noLocks(),
                noExit())) {
            assertThrows(AssertionError.class, () -> rule.check(offenders), rule.getDescription());
        }
        assertEquals(List.of("io.hammer2.tools.offenders.Offender"), classesWithMonitors(offenders));
    }

    /** Classes of {@code owner} use nothing but each other, {@code others} and the JDK. */
    private static ArchRule mayUse(String owner, String... others) {
        List<String> allowed = new ArrayList<>(List.of(others));
        allowed.add(owner);
        allowed.add("java..");
        if (owner.equals(LWKT)) {
            allowed.addAll(List.of("jdk.internal.vm..", "jdk.jfr.."));
        }
        return classes()
                .that()
                .resideInAPackage(owner)
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(allowed.toArray(String[]::new)));
    }

    private static void noArrow(String from, String... to) {
        noClasses()
                .that()
                .resideInAPackage(from)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(to)
                .check(MAIN);
    }

    private static ArchRule noSynchronizedMethods() {
        return noMethods()
                .that()
                .areDeclaredInClassesThat()
                .resideOutsideOfPackage(LWKT)
                .should()
                .haveModifier(JavaModifier.SYNCHRONIZED);
    }

    private static ArchRule noVolatileFields() {
        return fields().that()
                .areDeclaredInClassesThat()
                .resideOutsideOfPackage(LWKT)
                .should()
                .notHaveModifier(JavaModifier.VOLATILE)
                .allowEmptyShould(true);
    }

    private static ArchRule noLocks() {
        return noClasses()
                .that()
                .resideOutsideOfPackages(LWKT, BLOCKDEV)
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.util.concurrent.locks..");
    }

    private static ArchRule noExit() {
        return noClasses()
                .that()
                .haveNameNotMatching("io\\.hammer2\\.tools\\.(\\w+Command|MountEnd)")
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "halt", int.class);
    }

    /** Outside of the runtime; ArchUnit sees methods that are synchronized, and not blocks. */
    private static List<String> classesWithMonitors(JavaClasses classes) {
        return classes.stream()
                .filter(c -> !c.getPackageName().startsWith("io.hammer2.lwkt"))
                .map(JavaClass::getName)
                .filter(ArchitectureTest::hasMonitor)
                .sorted()
                .toList();
    }

    private static boolean hasMonitor(String className) {
        String resource = "/" + className.replace('.', '/') + ".class";
        try (InputStream in = ArchitectureTest.class.getResourceAsStream(resource)) {
            return ClassFile.of().parse(in.readAllBytes()).methods().stream()
                    .flatMap(method -> method.code().stream())
                    .flatMap(code -> code.elementStream())
                    .anyMatch(MonitorInstruction.class::isInstance);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
