import java.io.IOException;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Gives the classes of a jar the class file version of this JDK. A cache of classes that are ready to use (JEP 483) takes none that are older than
 * version 50, since they are verified in another way; picocli's are of version 49. What changes is the version and the stack maps that it asks for.
 *
 * <p>java UpgradeClasses.java FROM.jar TO.jar
 */
final class UpgradeClasses {
    private static final int LAST_OLD_VERSION = ClassFile.JAVA_6_VERSION;

    public static void main(String[] arguments) throws IOException {
        Path from = Path.of(arguments[0]);
        try (JarFile jar = new JarFile(from.toFile());
                URLClassLoader loader = new URLClassLoader(new URL[] {from.toUri().toURL()});
                OutputStream file = Files.newOutputStream(Path.of(arguments[1]));
                JarOutputStream to = new JarOutputStream(file)) {
            // Stack maps name the nearest common superclass of what may be on the stack.
            ClassFile upgrading = ClassFile.of(
                    ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                    ClassFile.ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(loader)));
            List<JarEntry> entries = Collections.list(jar.entries());
            for (JarEntry entry : entries) {
                byte[] bytes = jar.getInputStream(entry).readAllBytes();
                JarEntry copy = new JarEntry(entry.getName());
                copy.setTime(entry.getTime());
                to.putNextEntry(copy);
                to.write(entry.getName().endsWith(".class") ? upgraded(upgrading, bytes) : bytes);
                to.closeEntry();
            }
        }
    }

    private static byte[] upgraded(ClassFile upgrading, byte[] bytes) {
        var model = upgrading.parse(bytes);
        if (model.majorVersion() > LAST_OLD_VERSION) {
            return bytes;
        }
        ClassTransform version = (builder, element) -> {
            if (element instanceof ClassFileVersion) {
                builder.withVersion(ClassFile.latestMajorVersion(), 0);
            } else {
                builder.with(element);
            }
        };
        // Code that is not taken apart would be copied as it is, without stack maps.
        return upgrading.transformClass(
                model, version.andThen(ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL)));
    }
}
