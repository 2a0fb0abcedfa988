package dev.reweave.look.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.look.page.SampleReport.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** The report in a real browser: its marks have the data's numbers, and it answers. */
class ReportBrowserIT {
  private static final Path PICTURES = Path.of("target/report-screenshots");
  private static final Pattern LAYER = Pattern.compile("(?<=^|\\.)\\d+(?=\\.|$)");
  private static Browser browser;

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    browser = new Browser();
  }

  @AfterAll
  static void end() {
    browser.close();
  }

  /** Whatever was done: the console is empty, and nothing was asked of a network. */
  @AfterEach
  void nothingWentWrong() throws IOException {
    browser.value("localStorage.clear()");
    assertEquals(List.of(), browser.console());
    assertEquals(List.of(), browser.requests());
    browser.prefer("light");
    browser.size(1600, 1000);
  }

  private static JsonNode option(String chart) throws IOException {
    return browser.value("window.reweaveReport.charts." + chart + ".getOption()");
  }

  private static String kind(String name) {
    return LAYER.matcher(LAYER.matcher(name).replaceFirst("#")).replaceAll("*");
  }

  private static String cell(Row row) {
    var layer = LAYER.matcher(row.name);
    return layer.find()
        ? kind(row.name).replace("model.layers.#.", "") + " in " + layer.group()
        : row.name + " in none";
  }

  /** By cell, a number of its tensors. */
  private static Map<String, Double> cells(
      SampleReport sample, Function<List<Row>, Double> together) {
    return sample.rows.stream()
        .collect(
            Collectors.groupingBy(
                ReportBrowserIT::cell,
                TreeMap::new,
                Collectors.collectingAndThen(Collectors.toList(), together)));
  }

  private static void assertCells(Map<String, Double> expected) throws IOException {
    JsonNode option = option("layers");
    JsonNode kinds = option.path("yAxis").path(0).path("data");
    JsonNode layers = option.path("xAxis").path(0).path("data");
    Map<String, Double> found = new TreeMap<>();
    for (JsonNode mark : option.path("series").path(0).path("data")) {
      JsonNode value = mark.path("value");
      found.put(
          kinds.path(value.path(1).asInt()).asText()
              + " in "
              + layers.path(value.path(0).asInt()).asText(),
          value.path(3).asDouble());
    }
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach((cell, value) -> assertEquals(value, found.get(cell), 1e-9 * value, cell));
  }

  @Test
  void theHeatMapHasTheNumbersOfTheTensors() throws IOException {
    SampleReport sample = SampleReport.model(24, 3).compared();
    browser.open(sample, folder);

    assertCells(cells(sample, of -> of.stream().mapToDouble(r -> r.change).max().orElseThrow()));
    browser.choose("metric-norm");
    assertCells(
        cells(sample, of -> Math.sqrt(of.stream().mapToDouble(r -> r.norm * r.norm).sum())));
    browser.choose("metric-nans");
    assertCells(cells(sample, of -> (double) of.stream().mapToLong(r -> r.nans).sum()));
    browser.choose("metric-zeros");
    assertCells(
        cells(
            sample,
            of ->
                (double) of.stream().mapToLong(r -> r.zeros).sum()
                    / of.stream().mapToLong(r -> r.elements).sum()));
    browser.choose("metric-std");
    assertCells(
        cells(
            sample,
            of -> {
              double n = of.stream().mapToLong(r -> r.elements).sum();
              double mean = of.stream().mapToDouble(r -> r.elements * r.mean).sum() / n;
              double square =
                  of.stream().mapToDouble(r -> r.elements * (r.std * r.std + r.mean * r.mean)).sum()
                      / n;
              return of.size() == 1 ? of.get(0).std : Math.sqrt(square - mean * mean);
            }));
  }

  @Test
  void changedAndUnchangedLayersAreTheDatas() throws IOException {
    SampleReport sample = SampleReport.model(24, 0).compared();
    browser.open(sample, folder);
    Map<String, Double> expected =
        sample.rows.stream()
            .collect(
                Collectors.toMap(
                    r -> cell(r).replaceAll(".* in ", ""), r -> r.change, Math::max, TreeMap::new));

    JsonNode option = option("change");
    Map<String, Double> found = new TreeMap<>();
    JsonNode layers = option.path("xAxis").path(0).path("data");
    for (JsonNode bar : option.path("series").path(0).path("data")) {
      assertTrue(bar.path(1).asDouble() > 0);
      found.put(layers.path(bar.path(0).asInt()).asText(), bar.path(1).asDouble());
    }
    for (JsonNode circle : option.path("series").path(1).path("data")) {
      found.put(layers.path(circle.path(0).asInt()).asText(), circle.path(2).asDouble());
    }

    assertEquals(expected, found);
    long changed = sample.rows.stream().filter(r -> r.change != 0).count();
    String lead = browser.text("#change-lead");
    assertTrue(lead.contains(changed + " of 195 compared tensors changed."), lead);
    assertTrue(lead.contains("Changed kinds: self_attn.q_proj.weight (" + changed), lead);
    assertTrue(lead.contains("Outside layers, unchanged: model.embed_tokens.weight, "), lead);
  }

  @Test
  void tilesAndBarsHaveTheSizesOfTheData() throws IOException {
    SampleReport sample = SampleReport.model(24, 3);
    browser.open(sample, folder);

    assertTiles(sample, row -> row.elements);
    browser.choose("measure-bytes");
    assertTiles(sample, row -> row.bytes);
    long[][] expected = new long[2][5];
    sample.rows.forEach(row -> expected[row.dtype][row.shard] += row.bytes);
    for (JsonNode series : option("shards").path("series")) {
      int dtype = sample.dtypes.indexOf(series.path("name").asText());
      for (int shard = 0; shard < 5; shard++) {
        assertEquals(expected[dtype][shard], series.path("data").path(shard).asLong());
      }
    }
  }

  private static void assertTiles(SampleReport sample, Function<Row, Long> size)
      throws IOException {
    long all = 0;
    JsonNode tiles = option("modules").path("series").path(0).path("data");
    for (JsonNode tile : tiles) {
      String module = tile.path("name").asText();
      long expected =
          sample.rows.stream()
              .filter(row -> row.name.equals(module) || row.name.startsWith(module + "."))
              .mapToLong(size::apply)
              .sum();
      assertEquals(expected, tile.path("value").asLong(), module);
      all += expected;
    }
    assertEquals(sample.rows.stream().mapToLong(size::apply).sum(), all);
    assertTrue(tiles.size() > 24, "only " + tiles.size());
  }

  @Test
  void tasksAndHistogramsAreTheDatas() throws IOException {
    SampleReport sample = SampleReport.model(24, 0);
    browser.open(sample, folder);

    List<List<Long>> expected =
        sample.tasks.stream()
            .map(t -> List.of(t.start(), t.end(), t.read(), t.read() / 2))
            .toList();
    List<List<Long>> found = new ArrayList<>();
    for (JsonNode bar : option("timeline").path("series").path(0).path("data")) {
      found.add(
          List.of(
              bar.path(1).asLong(),
              bar.path(2).asLong(),
              bar.path(3).asLong(),
              bar.path(4).asLong()));
    }
    assertEquals(expected, found);
    String told = browser.text("#timeline-told");
    assertTrue(told.contains("Stragglers") && told.contains("2.9 s, done, straggler"), told);
    assertTrue(told.contains("attempt 2, done"), told);
    assertTrue(told.contains("failed") && told.contains("killed"), told);

    browser.value("window.reweaveReport.table.choose(100)");
    List<Long> bins = new ArrayList<>();
    for (JsonNode bar : option("histogram").path("series").path(0).path("data")) {
      bins.add(bar.path("value").asLong());
    }
    assertEquals(Arrays.stream(sample.rows.get(100).bins).boxed().toList(), bins);
    assertEquals(sample.rows.get(100).name, browser.text("#histogram-lead"));
  }

  private static List<String> shown() {
    return browser.all("#table tr[data-at] td:first-child").stream()
        .map(cell -> String.valueOf(cell.getDomProperty("textContent")))
        .toList();
  }

  @Test
  void searchSortAndKeysWork() throws IOException {
    SampleReport sample = SampleReport.model(24, 0).compared();
    browser.open(sample, folder);

    browser.press("/");
    assertEquals("search", browser.focused());
    browser.press("Q_PROJ layers.1");
    List<String> expected =
        sample.rows.stream()
            .map(row -> row.name)
            .filter(name -> name.contains("q_proj") && name.contains("layers.1"))
            .toList();
    assertEquals(expected, shown());
    assertEquals(expected.size() + " of 195 tensors", browser.text("#found"));
    browser.press(Keys.ENTER);
    assertEquals("table", browser.focused());
    browser.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER);
    assertEquals(expected.get(2), browser.text("#histogram-lead"));
    browser.press(Keys.ESCAPE);
    assertEquals("search", browser.focused());
    browser.press(Keys.ESCAPE);
    assertEquals("195 tensors", browser.text("#found"));

    WebElement norm = browser.find("#table thead th:nth-child(8)");
    browser.focus("#table thead th:nth-child(8) button");
    browser.press(Keys.ENTER);
    assertEquals("descending", norm.getDomAttribute("aria-sort"));
    Comparator<Row> byNorm = Comparator.comparingDouble(row -> row.norm);
    assertEquals(names(sample, byNorm.reversed()), shown().subList(0, 10));
    browser.press(Keys.ENTER);
    assertEquals("ascending", norm.getDomAttribute("aria-sort"));
    assertEquals(names(sample, byNorm), shown().subList(0, 10));

    browser.focus("#layers-chart");
    browser.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ENTER);
    assertEquals("model.layers.1.self_attn.q_proj.weight", browser.text("#histogram-lead"));
    browser.focus("#modules-chart");
    browser.press(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER);
    assertEquals("allmodellayers0", browser.text("#modules-path"));
    browser.press(Keys.ESCAPE);
    assertEquals("allmodellayers", browser.text("#modules-path"));
  }

  private static List<String> names(SampleReport sample, Comparator<Row> order) {
    return sample.rows.stream().sorted(order).limit(10).map(row -> row.name).toList();
  }

  @Test
  void eachChartIsToldInWordsAndNumbers() throws IOException {
    browser.open(SampleReport.model(4, 0).compared(), folder);

    List<WebElement> charts = browser.all(".chart");
    assertEquals(6, charts.size());
    assertEquals(
        0,
        browser
            .value(
                "document.querySelectorAll('[id]').length - new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size")
            .asInt());
    for (WebElement chart : charts) {
      String told = String.valueOf(chart.getDomAttribute("aria-describedby"));
      assertTrue(browser.text("#" + told).length() > 20, told);
      assertEquals("0", chart.getDomAttribute("tabindex"));
    }
    browser.value("document.querySelectorAll('details.numbers').forEach(d => d.open = true)");
    for (String section :
        List.of("change", "layers", "modules", "shards", "histogram", "timeline")) {
      browser.value(
          "document.querySelector('#"
              + section
              + " details.numbers').dispatchEvent(new Event('toggle'))");
      assertTrue(browser.all("#" + section + " details.numbers tbody tr").size() > 1, section);
    }
  }

  @Test
  void bothThemesCanBeReadAndChosen() throws IOException {
    browser.prefer("dark");
    browser.open(SampleReport.model(4, 0), folder);
    assertEquals("dark", browser.value("document.documentElement.dataset.theme").asText());
    assertContrast();

    browser.focus("#theme");
    browser.press(Keys.ENTER);
    assertEquals("light", browser.value("document.documentElement.dataset.theme").asText());
    assertEquals("Dark theme", browser.text("#theme"));
    assertContrast();
  }

  private static void assertContrast() throws IOException {
    for (String ground : List.of("surface", "panel")) {
      for (String text : List.of("ink", "muted", "accent", "good", "bad", "warn")) {
        assertTrue(contrast(text, ground) >= 4.5, text + " on " + ground);
      }
      for (String mark :
          List.of("soft", "series-1", "series-2", "series-3", "series-4", "series-5", "series-6")) {
        assertTrue(contrast(mark, ground) >= 3, mark + " on " + ground);
      }
    }
    for (int i = 1; i <= 6; i++) {
      assertTrue(contrast("on-series", "series-" + i) >= 4.5, "text on series " + i);
    }
  }

  /** As WCAG 2.2 defines it. */
  private static double contrast(String one, String other) throws IOException {
    double a = luminance(one) + 0.05;
    double b = luminance(other) + 0.05;
    return Math.max(a, b) / Math.min(a, b);
  }

  private static double luminance(String name) throws IOException {
    String colour =
        browser
            .value(
                "getComputedStyle(document.documentElement).getPropertyValue('--"
                    + name
                    + "').trim()")
            .asText();
    double sum = 0;
    double[] weights = {0.2126, 0.7152, 0.0722};
    for (int i = 0; i < 3; i++) {
      double c = Integer.parseInt(colour.substring(1 + 2 * i, 3 + 2 * i), 16) / 255.0;
      sum += weights[i] * (c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
  }

  @Test
  void namesAreTextWhateverTheyAre() throws IOException {
    String hostile = "<script>alert(1)</script>\"'&amp;{b}\u202eÜñ漢字<img src=x onerror=alert(1)>";
    SampleReport sample =
        SampleReport.model(4, 0).compared().named(hostile, name -> name.replace("mlp", hostile));
    browser.open(sample, folder);

    assertEquals(hostile.replace("\u202e", "\\u202e"), browser.text("#title"));
    assertEquals(
        0, browser.value("document.querySelectorAll('main img, main script').length").asInt());
    browser.press("/");
    browser.press("<script>");
    assertEquals("12 of 35 tensors", browser.text("#found"));
    assertTrue(shown().get(0).contains("<img src=x onerror=alert(1)>"), shown().toString());
    browser.focus("#layers-chart");
    browser.press(Keys.END);
    browser.focus("#modules-chart");
    browser.press(Keys.ARROW_RIGHT);
    assertEquals(0, browser.value("document.querySelectorAll('main img').length").asInt());
  }

  @Test
  void whatWasNotMeasuredIsSaid() throws IOException {
    browser.open(SampleReport.model(4, 0).unmeasured(), folder);

    assertEquals(
        "NaNs, Infinities",
        browser.all("#layers-metrics span").stream()
            .map(WebElement::getText)
            .collect(Collectors.joining(", ")));
    for (String section : List.of("#change", "#timeline")) {
      assertFalse(browser.find(section).isDisplayed(), section);
    }
    assertEquals(0, browser.all("#histogram-chart").size());
    assertTrue(browser.text("#histogram-facts").contains("bfloat16"));
  }

  @Test
  void aHundredThousandTensorsOpenAndAnswer() throws IOException {
    SampleReport sample = SampleReport.model(60, 555).compared();
    int size = sample.rows.size();
    browser.open(sample, folder);

    assertTrue(size > 100_000);
    browser.focus("#table");
    browser.press(Keys.END, Keys.ENTER);
    assertEquals("lm_head.weight", browser.text("#histogram-lead"));
    assertTrue(browser.all("#table tbody tr").size() < 80);
    browser.press("/");
    browser.press("experts.500. up_proj");
    assertEquals("60 of " + "%,d".formatted(size) + " tensors", browser.text("#found"));
    browser.press(Keys.ESCAPE);
    browser.focus("#table thead th:nth-child(1) button");
    browser.press(Keys.ENTER);
    assertEquals("lm_head.weight", shown().get(0));
    assertTrue(shown().get(2).startsWith("model.layers.0."), shown().get(2));
    browser.picture(PICTURES.resolve("light-wide-100000.png"));
  }

  @Test
  void picturesAreTaken() throws IOException {
    for (String theme : List.of("light", "dark")) {
      for (int width : List.of(1600, 400)) {
        browser.prefer(theme);
        browser.size(width, 1000);
        browser.open(SampleReport.model(32, 0).compared(), folder);
        assertTrue(
            browser.value("document.documentElement.scrollWidth <= innerWidth").asBoolean(),
            "wider than " + width);
        browser.picture(PICTURES.resolve(theme + (width > 1000 ? "-wide" : "-narrow") + ".png"));
      }
    }
  }
}
