package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Who reads gets where the text sends them. */
class ManualTest {
  private static final int MOST_LINES = 250;
  private static final Pattern ITEM = Pattern.compile("<item [^>]*href=\"([^\"]+)\\.html\"");

  /** What is wrong with a link, or nothing. */
  private static String problem(Path page, String link) throws IOException {
    int hash = link.indexOf('#');
    String file = hash < 0 ? link : link.substring(0, hash);
    Path target = file.isEmpty() ? page : page.resolveSibling(file).normalize();
    if (!Files.exists(target)) {
      return "leads nowhere";
    }
    if (page.startsWith(ManualPages.FOLDER) && !target.startsWith(ManualPages.FOLDER)) {
      return "leads out of the manual, which is a site of its own";
    }
    if (hash < 0) {
      return "";
    }
    String anchor = link.substring(hash + 1);
    if (!ManualPages.anchors(target).contains(anchor)) {
      return "leads to no heading";
    }
    boolean onSite =
        !target.startsWith(ManualPages.FOLDER)
            || ManualPages.writtenAnchors(target).contains(anchor);
    return onSite ? "" : "leads to a heading without <a id=\"" + anchor + "\"></a>";
  }

  @Test
  void linksLeadToFilesAndHeadings() throws IOException {
    List<String> wrong = new ArrayList<>();
    int links = 0;
    for (Path page : ManualPages.all()) {
      for (String link : ManualPages.links(page)) {
        if (!link.contains("://")) {
          links++;
          String problem = problem(page, link);
          if (!problem.isEmpty()) {
            wrong.add(page + ": " + link + " " + problem);
          }
        }
      }
    }
    assertEquals(List.of(), wrong);
    assertTrue(links > 50, "only " + links);
  }

  @Test
  void eachPageIsInTheMenu() throws IOException {
    List<String> menu =
        ITEM.matcher(Files.readString(Path.of("src/site/site.xml")))
            .results()
            .map(item -> item.group(1) + ".md")
            .sorted()
            .toList();

    assertEquals(
        ManualPages.manual().stream().map(page -> page.getFileName().toString()).toList(), menu);
  }

  @Test
  void theFirstPageLeadsToAllOthers() throws IOException {
    Path first = ManualPages.FOLDER.resolve("index.md");
    Set<Path> reached = new HashSet<>(Set.of(first));
    for (String link : ManualPages.links(first)) {
      reached.add(first.resolveSibling(link.replaceFirst("#.*", "")));
    }

    assertEquals(Set.copyOf(ManualPages.manual()), reached);
  }

  /** GitHub takes a bar with a backslash for one in a cell, the site shows both. */
  @Test
  void noCellNeedsABar() throws IOException {
    for (Path page : ManualPages.all()) {
      assertFalse(Files.readString(page).contains("\\|"), page.toString());
    }
  }

  @Test
  void whatComesFirstIsShort() throws IOException {
    int lines = Files.readAllLines(Path.of("README.md")).size();

    assertTrue(lines <= MOST_LINES, "README.md has " + lines + " lines");
  }
}
