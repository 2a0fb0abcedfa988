package dev.reweave;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import dev.reweave.common.Location;
import dev.reweave.convert.AskedConversion;
import dev.reweave.convert.ConversionRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** One way through the house: which room may know which. */
@AnalyzeClasses(packages = "dev.reweave", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String HOUSE = "dev.reweave.";

  /** By room, those that it knows: all of them lie below it. */
  private static final Map<String, Set<String>> KNOWN =
      Map.ofEntries(
          Map.entry("common", Set.of()),
          Map.entry("tensor", Set.of("common")),
          Map.entry("storage", Set.of("common")),
          Map.entry("format", Set.of("common", "tensor", "storage")),
          Map.entry("checkpoint", Set.of("common", "tensor", "storage", "format")),
          Map.entry("target", Set.of("common", "tensor", "storage", "format")),
          Map.entry(
              "plan", Set.of("common", "tensor", "storage", "format", "checkpoint", "target")),
          Map.entry("gather", Set.of("common", "tensor", "storage", "plan")),
          Map.entry("manifest", Set.of("common", "tensor", "storage", "checkpoint", "plan")),
          Map.entry("spark", Set.of("common", "storage", "gather")),
          Map.entry(
              "look",
              Set.of(
                  "common",
                  "tensor",
                  "storage",
                  "format",
                  "checkpoint",
                  "target",
                  "plan",
                  "manifest",
                  "gather",
                  "spark")),
          Map.entry(
              "convert",
              Set.of(
                  "common",
                  "tensor",
                  "storage",
                  "checkpoint",
                  "plan",
                  "manifest",
                  "gather",
                  "spark")),
          Map.entry(
              "sql",
              Set.of(
                  "common",
                  "tensor",
                  "storage",
                  "checkpoint",
                  "plan",
                  "manifest",
                  "gather",
                  "spark")),
          Map.entry(
              "cli",
              Set.of(
                  "common",
                  "storage",
                  "checkpoint",
                  "plan",
                  "manifest",
                  "spark",
                  "look",
                  "convert",
                  "sql")));

  private static String room(JavaClass type) {
    String path = type.getPackageName().substring(HOUSE.length());
    int dot = path.indexOf('.');
    return dot < 0 ? path : path.substring(0, dot);
  }

  /** No room knows one that it need not, and none is built without a place in the house. */
  @ArchTest
  static void roomsKnowTheRoomsBelowThem(JavaClasses house) {
    Map<String, Set<String>> found = new TreeMap<>();
    for (JavaClass type : house) {
      Set<String> known = found.computeIfAbsent(room(type), r -> new TreeSet<>());
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        if (target.getPackageName().startsWith(HOUSE) && !room(target).equals(room(type))) {
          known.add(room(target));
        }
      }
    }

    assertEquals(text(KNOWN), text(found));
  }

  private static String text(Map<String, Set<String>> rooms) {
    return rooms.keySet().stream()
        .sorted()
        .map(room -> room + " -> " + new TreeSet<>(rooms.get(room)))
        .collect(Collectors.joining("\n"));
  }

  @ArchTest
  static final ArchRule NO_CIRCLES_AT_ANY_DEPTH =
      SlicesRuleDefinition.slices().matching("dev.reweave.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule ONLY_TWO_ROOMS_KNOW_SPARK =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.reweave.spark..", "dev.reweave.sql..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.spark..", "scala..");

  /** SQL stays at the edge: a conversion needs none of it. */
  @ArchTest
  static final ArchRule ONLY_SQL_KNOWS_TABLES =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.reweave.sql..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.spark.sql..");

  @ArchTest
  static final ArchRule ONLY_STORAGE_KNOWS_FILE_SYSTEMS =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.reweave.storage..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.hadoop.fs..");

  @ArchTest
  static final ArchRule ADDRESSES_ARE_JUDGED_AT_THE_DOOR =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.reweave.storage..", "dev.reweave.common..")
          .should()
          .callConstructor(Location.class, String.class)
          .because("Stores.locate takes no address with a login in it, or that is none");

  /** Behind these, what is read is a place, a reading and a checkpoint. */
  @ArchTest
  static void theAddressOfTheInputIsInFewHands(JavaClasses house) {
    Set<String> hands = new TreeSet<>();
    for (Class<?> holder : List.of(AskedConversion.class, ConversionRequest.class)) {
      house
          .get(holder)
          .getMethod("input")
          .getCallsOfSelf()
          .forEach(call -> hands.add(call.getOriginOwner().getSimpleName()));
    }
    assertEquals(
        Set.of(
            "ConvertCommand",
            "StepRequests",
            "ConversionSeries",
            "Conversion",
            "OutputCheck",
            "Preparation"),
        hands);
  }

  /** What prepares a plan reads metadata; the plan itself touches no file. */
  @ArchTest
  static final ArchRule PLANS_TOUCH_NO_FILES =
      noClasses()
          .that()
          .resideInAPackage("dev.reweave.plan")
          .should()
          .dependOnClassesThat()
          .haveNameMatching("dev\\.reweave\\.storage\\.(Stores|RandomAccess|OutputFolder).*");

  /** A stranger reads there what a package is for, what it may know, and where to begin. */
  @ArchTest
  static void eachPackageSaysWhatItIsFor(JavaClasses house) {
    Set<String> packages = new TreeSet<>();
    for (JavaClass type : house) {
      packages.add(type.getPackageName().replace('.', '/'));
    }
    assertEquals(
        List.of(),
        packages.stream()
            .filter(p -> !Files.exists(Path.of("src/main/java", p, "package-info.java")))
            .toList());
  }

  @ArchTest
  static final ArchRule NAMES_THAT_SAY_SOMETHING =
      classes()
          .should()
          .haveSimpleNameNotEndingWith("Utils")
          .andShould()
          .haveSimpleNameNotEndingWith("Util")
          .andShould()
          .haveSimpleNameNotEndingWith("Helper");
}
