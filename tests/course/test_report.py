from mnist_core.course import report
from mnist_core.course.questions import QUESTIONS

MEASURED = {"hidden": [0.967, 0.924], "linear": [0.924], "loss": []}


def test_findings_are_of_what_was_measured_in_the_order_of_the_course():
    linear, hidden = report.findings({"linear": 1, "descent": 2}, MEASURED)
    assert (linear.guess, linear.measured, linear.is_right) == ("90 to 95 %", "92.4%", True)
    assert (hidden.guess, hidden.answer, hidden.is_right) == ("", "with ReLU", False)
    assert hidden.question == QUESTIONS["hidden"].words


def test_the_page_to_keep_says_all_of_it():
    page = report.to_markdown(report.findings({"linear": 2}, MEASURED), "my 7", {"the classic": "7, 99.1% sure"})
    assert "| 95 to 98 % | 92.4% |" in page
    assert "| - | with ReLU: 96.7%, without: 92.4% |" in page
    assert "Reads in my 7" in page
    assert "| the classic | 7, 99.1% sure |" in page
    assert "Reads in" not in report.to_markdown([], "my 7", {})
