package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.ClassFiles;
import dev.reweave.testing.ClassFiles.ClassFile;
import dev.reweave.testing.ClassFiles.Reference;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What Hadoop and Spark keep to themselves changes without a word between two of their releases:
 * what is used of it is named here, with the reason.
 */
class PrivateApiTest {
  private static final String HADOOP = "org/apache/hadoop/";
  private static final String SPARK = "org/apache/spark/";
  private static final String AUDIENCE = "Lorg/apache/hadoop/classification/InterfaceAudience$";
  private static final Set<String> PRIVATE =
      Set.of(AUDIENCE + "Private;", AUDIENCE + "LimitedPrivate;");

  /** Spark's annotations of what is for others. */
  private static final Pattern FOR_OTHERS =
      Pattern.compile(
          "Lorg/apache/spark/annotation/(Stable|Evolving|Unstable|Experimental|DeveloperApi);");

  /** Packages of Spark whose classes in its API documentation have no annotation. */
  private static final Pattern DOCUMENTED =
      Pattern.compile(
          "org/apache/spark/((api/java|broadcast|rdd|sql)/)?[^/]+|"
              + "org/apache/spark/util/[^/]*Accumulator");

  private static final Map<String, String> REASONS =
      new TreeMap<>(
          Map.of(
              "org/apache/hadoop/fs/s3a/S3AFileStatus",
              "S3A takes no other status with an ETag, which it sends as If-Match when it reads",
              "org/apache/hadoop/fs/s3a/S3AFileSystem",
              "gives the next one",
              "org/apache/hadoop/fs/s3a/S3AInternals",
              "for diagnosis: Hadoop has no other way to ask for an upload by its id",
              "org/apache/hadoop/hdfs/HdfsConfiguration",
              "loads hdfs-site.xml before a setting of it is asked for",
              "org/apache/spark/sql/catalyst/analysis/NoSuchTableException",
              "the public TableCatalog declares it",
              "org/apache/spark/sql/catalyst/catalog/ExternalCatalogUtils",
              "folders of partitions must have the names that Spark's reader expects",
              "org/apache/spark/sql/catalyst/expressions/GenericInternalRow",
              "rows of the public PartitionReader are of catalyst",
              "org/apache/spark/sql/catalyst/util/GenericArrayData",
              "arrays in such rows",
              "org/apache/spark/unsafe/types/UTF8String",
              "texts in such rows",
              "org/apache/spark/storage/BlockManager",
              "knows under which host Spark's pages show an executor"));

  @Test
  void whatIsUsedIsForOthersOrNamedHere() throws IOException {
    List<Path> places = new ArrayList<>(List.of(Path.of("target", "classes")));
    Stream.of(System.getProperty("java.class.path").split(":", -1))
        .map(Path::of)
        .filter(path -> path.toString().endsWith(".jar"))
        .forEach(places::add);
    ClassFiles files = ClassFiles.in(places);

    Set<String> found = new TreeSet<>();
    int uses = 0;
    for (String name : files.inFolders()) {
      for (Reference use : files.uses(name)) {
        uses++;
        boolean isPrivate =
            use.name().startsWith(HADOOP)
                ? isPrivateToHadoop(files, use)
                : use.name().startsWith(SPARK) && isPrivateToSpark(files, use.name());
        if (isPrivate) {
          found.add(use.name());
        }
      }
    }

    assertEquals(REASONS.keySet(), found, "reasons: " + REASONS);
    assertTrue(uses > 10_000, "only " + uses + " uses were found");
  }

  /** By the annotation of the member, of its class, or of the class around that. */
  private static boolean isPrivateToHadoop(ClassFiles files, Reference use) {
    Optional<Reference> declared = use.member().isEmpty() ? Optional.empty() : files.resolve(use);
    if (declared.isPresent()
        && isPrivate(files.find(declared.get().name()), declared.get().member())) {
      return true;
    }
    String name = use.name();
    int nested = name.indexOf('$');
    return isPrivate(files.find(name), "")
        || (nested > 0 && isPrivate(files.find(name.substring(0, nested)), ""));
  }

  private static boolean isPrivate(Optional<ClassFile> file, String member) {
    return file.orElseThrow().annotations(member).stream().anyMatch(PRIVATE::contains);
  }

  private static boolean isPrivateToSpark(ClassFiles files, String name) {
    int nested = name.indexOf('$');
    String outer = nested > 0 ? name.substring(0, nested) : name;
    boolean forOthers =
        Stream.of(name, outer)
            .flatMap(n -> files.find(n).stream())
            .flatMap(file -> file.annotations("").stream())
            .anyMatch(annotation -> FOR_OTHERS.matcher(annotation).matches());
    return !forOthers && !DOCUMENTED.matcher(outer).matches();
  }
}
