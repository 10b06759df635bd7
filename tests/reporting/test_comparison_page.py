"""The page of a comparison, read back with a parser."""

import re
from dataclasses import replace
from pathlib import Path

import comparisons
import pytest
from html_pages import Page, section_of

from penult.errors import OutputExistsError
from penult.records import (
    Failure,
    ModelCost,
    ModelDifference,
    RunScores,
    SimilarityMatrix,
    SkippedModel,
)
from penult.records.failure import MISSING
from penult.reporting import comparison_page
from penult.reporting.comparison_page import write_comparison_page
from penult.reporting.comparison_sections.summary import held_out_words

pytestmark = pytest.mark.light

LITE0, LITE1, LITE2 = (f"efficientnet_lite{k}" for k in range(3))
JOINED = f"{LITE0}+{LITE2}"
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


@pytest.fixture
def page_of(tmp_path, monkeypatch):
    """Write the page of a comparison, with figures of these names, which show nothing."""

    def write(found, *, figures=()):
        monkeypatch.setattr(
            comparison_page, "to_svg", lambda _, name: f"<svg><title>{name}</title></svg>"
        )
        path = tmp_path / "index.html"
        return write_comparison_page(found, dict.fromkeys(figures), path, overwrite=True)

    return write


def flat(html):
    return " ".join(Page(html).text.split())


def text_of(path, section):
    return flat(section_of(path, section))


def header_of(path):
    return flat(re.search("<header>.*?</header>", path.read_text("utf-8"), re.DOTALL)[0])


def rows_of(section, table):
    body = re.search(rf'<table class="{table}.*?<tbody>(.*?)</tbody>', section, re.DOTALL)[1]
    return [flat(row) for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)]


def sections_of(path):
    return [one["id"] for one in Page(path.read_text("utf-8")).all("section")]


def scored(found, **runs):
    """The same comparison, its rows with other runs of a score each, in their order."""
    ((score, values),) = runs.items()
    rows = tuple(
        replace(row, scores={**row.scores, score: RunScores(of)})
        for row, of in zip(found.rows, values, strict=True)
    )
    return replace(found, rows=rows)


def test_the_head_says_which_to_take_and_why_and_what_was_compared_on_what(page_of):
    assert header_of(page_of(comparisons.flowers())) == (
        "penult compare "
        "Take efficientnet_lite1: within noise of the best, and the fastest of those. "
        "6 models were compared on 1,360 images of 17 classes: stratified 80/20 splits, drawn anew "
        "for each of 3 runs. In each run, classifiers were scored on 272 images that they had "
        "never seen. 2 models could not be compared."
    )


def test_a_reservation_of_the_recommendation_is_a_sentence_of_its_own(page_of):
    reason = (
        f"{LITE0}: within noise of the best; it may be up to 3.1 points worse: more would tell."
    )
    head = header_of(page_of(comparisons.two_models(reason=reason)))
    assert f"Take {LITE0}: within noise of the best. It may be up to 3.1 points worse: more" in head
    reason = f"{LITE1}: the best; costs were not measured; {LITE0} may be up to 3.5 points better."
    head = header_of(page_of(comparisons.two_models(reason=reason, recommended=LITE1)))
    assert f"the best. Costs were not measured. {LITE0} may be up to 3.5 points better. 2" in head


def test_of_few_images_the_head_says_so_after_which_to_take(page_of):
    reason = (
        f"only 4 held-out images, on which the two cannot be told apart: {LITE0} is the fastest; "
        "costs were not measured; on so few, no difference could be more than noise."
    )
    assert (
        f"Take {LITE0}: it is the fastest. Only 4 held-out images, on which the two cannot be told "
        "apart. Costs were not measured. On so few, no difference"
    ) in header_of(page_of(comparisons.two_models(recommended=LITE0, reason=reason)))


def test_images_of_several_runs_and_those_that_could_not_be_read_are_counted(page_of):
    gone = Failure("gone.jpg", f"the table names it, {MISSING}")
    found = comparisons.flowers(failures=(Failure("a.jpg", "not an image"), gone))
    pairs = tuple(replace(one, images=652) for one in found.differences)
    path = page_of(replace(found, differences=pairs))
    assert "had never seen, 652 different ones over all runs." in header_of(path)
    text = text_of(path, "making")
    assert "Held out in any run 652 different images" in text
    said = "1 image could not be read; 1 image of the table of labels is not there: a.jpg: not an image"
    assert f"Without a row {said}" in text


def test_random_weights_are_said_to_mean_nothing_and_equal_scores_are_no_noise(page_of):
    found = comparisons.two_models()
    assert "Random weights" not in text_of(page_of(found), "models")
    first, second = found.rows
    second = replace(second, untrained=True, scores=first.scores)
    text = text_of(page_of(comparisons.comparison([first, second])), "models")
    assert "Random weights: 1 model. What an untrained network scores is a baseline" in text
    assert "as good as the best" in text
    assert "within noise of the best" not in text


def test_a_joined_name_breaks_between_its_networks(page_of):
    html = page_of(comparisons.flowers(recommended=JOINED)).read_text("utf-8")
    head = re.search("<h1.*?</h1>", html, re.DOTALL)[0]
    assert re.findall(r'<span class="part">(.*?)</span>', head) == [
        "efficientnet_<wbr>lite0+",
        "efficientnet_<wbr>lite2",
    ]


def test_where_none_is_recommended_the_head_says_why(page_of):
    head = header_of(page_of(comparisons.one_model()))
    assert "No recommendation: only 1 model: a comparison takes two. 1 model was compared" in head


def test_one_run_is_not_called_several(page_of):
    path = page_of(comparisons.one_run())
    assert "over 1 run: the images' own splits. Classifiers were scored on 272" in header_of(path)
    assert "Scores are of one run." in text_of(path, "models")
    assert "±" not in section_of(path, "models")
    assert 'class="range"' not in section_of(path, "models")


def test_runs_that_hold_out_different_numbers_of_images_have_their_range(page_of):
    splits = {**comparisons.flowers().splits, "held_out": [272, 270, 274]}
    assert "scored on 270 to 274 images" in header_of(page_of(comparisons.flowers(splits=splits)))


def test_the_table_has_the_best_first_with_scores_and_costs_in_plain_units(page_of):
    section = section_of(page_of(comparisons.flowers()), "models")
    assert [one.get("aria-sort") for one in Page(section).all("th", scope="col")][:3] == [
        None,
        "descending",
        None,
    ]
    rows = rows_of(section, "models")
    means = [float(re.search(r"([\d.]+)% ±", row)[1]) for row in rows]
    assert means == sorted(means, reverse=True)
    assert re.fullmatch(
        r"1 efficientnet_lite0\+efficientnet_lite2 best 95.0% ± 0.\d 90.0% ± 0.\d 84.0% ± \d.\d "
        r"94.8% ± \d.\d 41.2 10.8 M 2.57 GFLOP 429 MB 2,560",
        rows[0],
    )


def test_the_recommended_one_and_those_within_noise_of_the_best_are_marked_in_words(page_of):
    rows = rows_of(section_of(page_of(comparisons.flowers()), "models"), "models")
    marks = [re.search(r"(recommended)?[ ·]*(best|within noise of the best)?(?= \d\d\.\d%)", row)[0] for row in rows]  # fmt: skip
    assert [" ".join(mark.replace("·", "").split()) for mark in marks] == [
        "best",
        "within noise of the best",
        "recommended within noise of the best",
        "",
        "",
        "",
    ]


def test_a_higher_mean_on_fewer_images_does_not_make_a_model_the_best(page_of):
    found = comparisons.two_models()
    first, second = (row.name for row in found.rows)
    behind = ModelDifference(
        a=first, b=second, score="accuracy", difference=-0.05, low=-0.08, high=-0.02, p=0.001,
        separable=True,
    )  # fmt: skip
    rows = rows_of(section_of(page_of(replace(found, differences=(behind,))), "models"), "models")
    assert " best " not in rows[0]
    assert " best " in rows[1]


def test_scores_have_the_digits_that_the_command_prints(page_of):
    quiet = scored(comparisons.two_models(), accuracy=((0.912, 0.914), (0.9, 0.904)))
    rows = rows_of(section_of(page_of(quiet), "models"), "models")
    assert ["91.3% ± 0.1" in rows[0], "90.2% ± 0.3" in rows[1]] == [True, True]
    loud = scored(comparisons.two_models(), accuracy=((0.95, 0.87), (0.88, 0.94)))
    path = page_of(loud)
    rows = rows_of(section_of(path, "models"), "models")
    assert ["91.0% ± 5.7" in rows[0], "91.0% ± 4.2" in rows[1]] == [True, True]
    still = scored(comparisons.two_models(), accuracy=((0.91, 0.9101), (0.9, 0.9001)))
    assert "± <0.1" in rows_of(section_of(page_of(still), "models"), "models")[0]


def test_a_dot_lies_where_its_mean_is_on_the_axis_that_is_named(page_of):
    found = scored(comparisons.two_models(), accuracy=((0.95, 0.97), (0.91, 0.93)))
    section = section_of(page_of(found), "models")
    # 0.96 and 0.92, each ± 0.0141: from 0.9059 to 0.9741, so from 90% to 98%.
    assert re.findall(r"--at: ([\d.]+)%", section) == ["75.0", "25.0"]
    low, high = map(float, re.search(r"--low: ([\d.]+)%; --high: ([\d.]+)%", section).groups())
    assert (low, high) == (75 - 17.68, 75 + 17.68)
    assert ">90%<" in section
    assert ">98%<" in section


def test_a_score_that_could_not_be_had_is_a_dash_that_sorts_last(page_of):
    nan = float("nan")
    found = scored(comparisons.two_models(), accuracy=((0.9, 0.9), (nan, nan)))
    section = section_of(page_of(found), "models")
    assert re.search(rf"{LITE0}.*? – ", rows_of(section, "models")[1])
    assert 'data-value="">–<' in section


def test_the_chosen_score_is_no_column_twice_and_is_explained(page_of):
    section = section_of(page_of(comparisons.two_models(score="hit@1")), "models")
    heads = [flat(one) for one in re.findall(r'<th scope="col".*?</th>', section, re.DOTALL)]
    assert heads[1] == "hit@1"
    assert heads.count("hit@1") == 1
    assert "accuracy" in heads
    assert "hit@1: share of the held-out images whose nearest training image is of the" in flat(section)  # fmt: skip
    unexplained = {*heads} - {*re.findall(r"<dt>(.*?):</dt>", section)}
    assert {one for one in unexplained if not one.endswith("%")} == {"Model"}


def test_several_labels_are_explained_and_have_the_scores_of_any_label(page_of):
    path = page_of(comparisons.several_labels())
    assert "finds all labels and no other" in text_of(path, "models")
    assert "accuracy, any label" in text_of(path, "scores")
    assert "Images have several labels" in text_of(path, "scores")
    one_label = page_of(comparisons.two_models())
    assert "any label" not in text_of(one_label, "scores")


def test_models_without_some_images_are_named(page_of):
    found = comparisons.two_models()
    found = replace(found, rows=(found.rows[0], replace(found.rows[1], missing=3)))
    text = text_of(page_of(found), "models")
    assert f"Scored on fewer images than the others: {LITE0} has no features of 3 images." in text


def test_each_chart_comes_with_what_is_to_be_seen_in_it(page_of):
    names = ("accuracy", "precision", "parameters", "flops", "speed")
    path = page_of(comparisons.flowers(), figures=names)
    html = section_of(path, "charts")
    text = flat(html)
    assert html.count("<svg") == 5
    assert "Accuracy goes from 93.4% to 95.0% among 6 models: the last is 1.7 points below" in text
    assert (
        "Precision@5 goes from 82.4% to 84.0% among 6 models, and orders them as accuracy" in text
    )
    # Of what has the fewest FLOPs, lite0 in full precision is better; with views, lite1 is.
    assert (
        "4 of 6 lie on the Pareto front: no other is both cheaper and higher in accuracy "
        f"({JOINED}; {LITE2}; {LITE1}; {LITE0})."
    ) in text
    assert "5 of 6 lie on the Pareto front: no other is both faster and higher in accuracy." in text
    assert "not on it" not in text


def test_a_recommendation_that_is_off_the_front_is_said_to_be(page_of):
    found = comparisons.flowers(recommended=f"{LITE0}, flip")
    text = text_of(page_of(found, figures=("flops", "parameters")), "charts")
    assert text.count("The recommended one is not on it.") == 1


def test_the_matrix_says_by_how_much_the_row_is_better_and_what_is_not_separable(page_of):
    path = page_of(comparisons.flowers())
    section = section_of(path, "differences")
    text = flat(section)
    assert text.startswith(
        "Which differences are more than noise 5 of 15 pairs are separable. "
        f"{JOINED}, the best, is not separable from {LITE2}; {LITE1}. "
    )
    assert "Grey means not separable: these images do not tell the two apart." in text
    rows = rows_of(section, "against")
    assert rows[0] == (f"1 {JOINED} +0.4 not separable +0.8 not separable +1.2 +1.5 +1.7")
    assert rows[5].endswith("−1.7 −1.2 −0.9 not separable −0.5 not separable −0.1 not separable")
    titles = [one["title"] for one in Page(section).all("td") if "title" in one]
    assert titles[0] == (
        f"{JOINED} less {LITE2}: +0.4 points, 95% interval −0.7 to +1.5, p 0.4: not separable"
    )
    assert f"{LITE2} less {JOINED}: −0.4 points, 95% interval −1.5 to +0.7, p 0.4" in titles[5]
    pairs = rows_of(section, "listed pairs")
    assert len(pairs) == 15
    assert pairs[2] == f"{JOINED} {LITE0}, flip +1.2 +0.1 to +2.3 0.01 separable"


def test_pairs_that_are_all_alike_are_said_to_be(page_of):
    found = comparisons.flowers()
    ties = tuple(replace(one, separable=False) for one in found.differences)
    assert "No pair is separable." in text_of(page_of(replace(found, differences=ties)), "differences")  # fmt: skip
    apart = tuple(replace(one, separable=True) for one in found.differences)
    text = text_of(page_of(replace(found, differences=apart)), "differences")
    assert "All pairs are separable." in text
    assert f"{JOINED}, the best, is separable from all others." in text


def test_a_pair_whose_interval_speaks_for_one_may_be_noise_among_so_many(page_of):
    found = comparisons.two_models()
    pair = replace(found.differences[0], low=0.001, high=0.02, p=0.2, separable=False)
    section = section_of(page_of(replace(found, differences=(pair,))), "differences")
    assert rows_of(section, "listed pairs")[0].endswith("not separable among so many pairs")


def test_many_models_have_their_numbers_over_the_matrix_and_the_list_is_folded(page_of):
    section = section_of(page_of(comparisons.many_models(12)), "differences")
    assert "<details>" in section
    assert 'class="verdict"' not in section
    assert "not separable" in rows_of(section, "against")[0]  # for whoever sees no grey
    assert "Which differences" in section
    assert "<details>" not in section_of(page_of(comparisons.flowers()), "differences")


def test_similarity_says_what_it_means_of_how_many_images_and_what_chance_reaches(page_of):
    pairs = SimilarityMatrix(
        measure="rsa",
        names=(LITE0, LITE1, LITE2),
        matrix=((1, 0.9, 0.004), (0.9, 1, 0.4), (0.004, 0.4, 1)),
        p=((0, 0, 0),) * 3,
        n=1360,
        null_n=1000,
        null_high=0.0064,
        permutations=199,
    )
    path = page_of(comparisons.flowers(cka=None, rsa=pairs), figures=("rsa", "cka"))
    section = section_of(path, "similarity")
    assert section.count("<svg") == 1
    text = flat(section)
    assert "1 where both order the pairs alike, about 0 where they have nothing in common" in text
    assert f"The most alike are {LITE0} and {LITE1} (0.90), the least {LITE0} and {LITE2} (0.00)." in text  # fmt: skip
    assert (
        "Of 1,360 images; where the images of one model are shuffled of a sample of 1,000, so that "
        "chance alone is left, 95% of 199 permutations are below 0.006, and so is 1 pair here."
    ) in text
    assert rows_of(section, "listed")[1] == f"{LITE1} {LITE2} 0.40"


def test_features_that_are_all_equal_have_no_similarity_to_tell(page_of):
    nan = float("nan")
    none = SimilarityMatrix(
        measure="cka", names=(LITE0, LITE1), matrix=((nan, nan), (nan, nan)),
        p=((nan, nan), (nan, nan)), n=5, null_n=5, null_high=nan, permutations=0,
    )  # fmt: skip
    text = text_of(page_of(comparisons.two_models(cka=none, rsa=None)), "similarity")
    assert "No pair has a value." in text
    assert "nan" not in text


def test_costs_are_in_full_and_what_is_the_same_for_all_is_said_once(page_of):
    text = text_of(page_of(comparisons.flowers()), "costs")
    assert "engine openvino, device cpu, processor Intel(R) Xeon(R) Platinum 8481C, threads 2" in text  # fmt: skip
    assert "licence of the weights apache-2.0." in text
    rows = rows_of(section_of(page_of(comparisons.flowers()), "costs"), "numbers")
    assert rows[0] == (
        f"1 {JOINED} 49 ms 41.2 49.4 429 MB 10.8 M 2.57 GFLOP 13.9 MB 224 × 224, 260 × 260 float32 –"
    )
    assert rows[3].endswith("224 × 224 float32 flip")


def test_what_was_counted_but_not_timed_is_said_to_be(page_of):
    found = comparisons.two_models()
    counted = ModelCost(parameters=5, flops=10)
    rows = tuple(replace(row, cost=counted) for row in found.rows)
    text = text_of(page_of(replace(found, rows=rows)), "costs")
    assert "Speeds and memory were not measured; parameters and FLOPs are counted" in text
    assert "Speeds and memory hold for this machine" in text_of(page_of(found), "costs")


def test_a_model_whose_cost_is_not_known_is_in_the_table_with_dashes(page_of):
    found = comparisons.two_models()
    rows = (found.rows[0], replace(found.rows[1], cost=ModelCost(), bytes=0))
    text = rows_of(section_of(page_of(replace(found, rows=rows)), "costs"), "numbers")[1]
    assert text == f"2 {LITE0}{7 * ' –'}"


def test_sections_that_have_nothing_to_show_are_left_out(page_of):
    every = page_of(comparisons.flowers(), figures=("accuracy", "cka", "rsa"))
    assert sections_of(every) == [
        "models", "charts", "differences", "similarity", "scores", "costs", "skipped", "making",
    ]  # fmt: skip
    one = page_of(comparisons.one_model(), figures=("accuracy",))
    assert sections_of(one) == ["models", "scores", "costs", "making"]
    path = page_of(comparisons.without_costs())
    assert "costs" not in sections_of(path)
    assert "images/s" not in section_of(path, "models")
    assert "features" in section_of(path, "models")


def test_nothing_that_was_compared_is_a_page_all_the_same(page_of):
    gone = SkippedModel("vgg16", "its weights are not on this machine")
    found = comparisons.one_model(rows=(), skipped=(gone,), reason="")
    assert sections_of(page_of(found)) == ["skipped", "making"]


def test_what_was_skipped_comes_with_its_reason(page_of):
    text = text_of(page_of(comparisons.flowers()), "skipped")
    assert "2 models could not be compared; all else on this page is without them." in text
    assert "nasnetalarge not enough memory: it asked for 3.1 GB of 2.0 GB" in text


def test_how_it_was_made_has_what_to_type_to_go_on_and_how_the_parts_were_drawn(page_of):
    path = page_of(comparisons.flowers(folder=Path("my comparison")))
    text = text_of(path, "making")
    assert "penult compare IMAGES --model MODEL -o 'my comparison'" in text
    assert f"penult train 'my comparison/features/{LITE1}.h5' -o classifier.skops" in text
    assert "Left out classes of fewer than 10 images: 4 images" in text
    assert "Held out per run 272 images" in text
    assert "Seed 0" in text
    assert "docs/compare.md" in text
    assert re.search(r"scikit-learn \d", text)


def test_rows_of_a_file_that_has_several_are_named_to_be_trained_on(page_of):
    found = comparisons.two_models()
    rows = tuple(replace(row, file="/data/rows.h5", layer=f"block {k}") for k, row in enumerate(found.rows))  # fmt: skip
    text = text_of(page_of(replace(found, rows=rows, recommended=rows[1].name)), "making")
    assert "penult train /data/rows.h5 --layer 'block 1' -o classifier.skops" in text


def test_names_of_other_people_are_escaped_wherever_they_stand(page_of):
    found = comparisons.flowers()

    def hostile(text):
        return text.replace(LITE0, HOSTILE)

    def renamed(one):
        return replace(one, a=hostile(one.a), b=hostile(one.b))

    rows = tuple(
        replace(
            row, name=hostile(row.name), layer=HOSTILE, cost=replace(row.cost, licence=(HOSTILE,))
        )
        for row in found.rows
    )
    alike = {
        name: replace(one, names=tuple(map(hostile, one.names)))
        for name, one in (("cka", found.cka), ("rsa", found.rsa))
    }
    changed = replace(
        found,
        rows=rows,
        differences=tuple(map(renamed, found.differences)),
        recommended=hostile(JOINED),
        reason=f"{hostile(JOINED)}: {HOSTILE}; {HOSTILE}",
        skipped=(SkippedModel(HOSTILE, HOSTILE),),
        splits={**found.splits, "description": HOSTILE, "left_out": {HOSTILE: 2}},
        folder=Path("a <b>"),
        **alike,
    )
    html = page_of(changed, figures=("flops", "cka")).read_text("utf-8")
    assert html.count("<script") == 1  # the page's own
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html


def test_a_page_is_the_same_each_time_and_is_not_overwritten_unasked(page_of, tmp_path):
    first = page_of(comparisons.flowers()).read_bytes()
    assert page_of(comparisons.flowers()).read_bytes() == first
    with pytest.raises(OutputExistsError):
        write_comparison_page(comparisons.flowers(), {}, tmp_path / "index.html")


def test_held_out_images_are_told_from_to_where_runs_differ():
    assert held_out_words(1) == "1 image"
    assert held_out_words([272, 272]) == "272 images"
    assert held_out_words([270, 1274]) == "270 to 1,274 images"
    assert held_out_words([]) == held_out_words("many") == held_out_words(None) == ""
