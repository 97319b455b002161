import { render } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { Inline } from "@/ui/Inline";
import { Markdown } from "@/ui/Markdown";

function html(text: string): HTMLElement {
  return render(<Markdown text={text} />).container;
}

describe("somebody else's prose", () => {
  it("fetches no image: it is a link", () => {
    const page = html("![chart](https://evil.test/?secret=1)");
    expect(page.querySelector("img")).toBeNull();
    expect(page.querySelector("a")).toMatchObject({ textContent: "Image: chart", href: "https://evil.test/?secret=1" });
  });

  it("has no HTML of its own", () => {
    const page = html('<script>alert(1)</script><iframe src="https://evil.test"></iframe> <img src=x onerror=alert(1)>');
    expect(page.querySelector("script, iframe, img")).toBeNull();
  });

  it("has no link that runs something", () => {
    expect(html("[click](javascript:alert(1))").querySelector("a")?.getAttribute("href")).toBeFalsy();
  });

  it("keeps code as it is, with its colours", () => {
    const page = html("```python\ndef f():\n    return 1\n```");
    expect(page.querySelector("pre")?.textContent).toBe("def f():\n    return 1\n");
    expect(page.querySelector(".hljs-keyword")?.textContent).toBe("def");
  });

  it("gives a link no way back to this page", () => {
    expect(html("[docs](https://docs.test)").querySelector("a")?.rel).toContain("noopener");
  });
});

describe("a sentence", () => {
  it("shows what stands between backticks as code", () => {
    const { container } = render(<Inline text="Run `outrider login` for `a` link, not `this" />);
    expect([...container.querySelectorAll("code")].map((code) => code.textContent)).toEqual(["outrider login", "a"]);
    expect(container.textContent).toBe("Run outrider login for a link, not `this");
  });

  it("links an address, without the full stop behind it", () => {
    const { container } = render(<Inline text="See http://localhost:4100/pulls/a/1. Not javascript:alert(1)." />);
    expect([...container.querySelectorAll("a")].map((link) => link.href)).toEqual(["http://localhost:4100/pulls/a/1"]);
  });
});
