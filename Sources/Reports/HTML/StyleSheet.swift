/// How a report looks: a narrow column of text with wide figures, in the colours of the reader's
/// system, black on white on paper.
///
/// The series of charts have the colours of Okabe and Ito 2008, "Color universal design", which
/// readers with colour blindness can distinguish, darker on light and lighter on dark ground; lines
/// also differ in their dashes, points in their shapes.
enum StyleSheet {
  static let rules: StaticString = """

    :root{color-scheme:light dark;--ink:#1a1a1a;--soft:#5a5a5a;--line:#d4d4d4;--ground:#ffffff;
    --tint:#f4f5f7;--link:#00558f;--mark:#fff3d6;--c0:#0066a8;--c1:#c24e00;--c2:#00805c;
    --c3:#a8467f;--c4:#9a6a00;--c5:#3a86b4;--c6:#6b4ca0;--c7:#777777;--q0:#c9c9c9;
    --q1:#9ecae1;--q2:#5a9fd0;
    --q3:#1f6cb0;--q4:#08306b}
    @media (prefers-color-scheme:dark){:root{--ink:#e8e8e8;--soft:#a9adb3;--line:#43474d;
    --ground:#16181b;--tint:#1f2226;--link:#7cc0f5;--mark:#3c3320;--c0:#63b3ed;--c1:#ff9857;
    --c2:#3fcf9f;--c3:#eb9bc8;--c4:#efc052;--c5:#9ad7f7;--c6:#b9a1ee;--c7:#a0a0a0;--q0:#4a4a4a;
    --q1:#2f5f8a;--q2:#4a8fc4;--q3:#86bce8;--q4:#e3f1ff}}
    @media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--ground:#fff;
    --tint:#fff;--link:#000;--mark:#eee;--c0:#0066a8;--c1:#c24e00;--c2:#00805c;--c3:#a8467f;
    --c4:#9a6a00;--c5:#3a86b4;--c6:#6b4ca0;--c7:#777;--q0:#c9c9c9;--q1:#9ecae1;--q2:#5a9fd0;
    --q3:#1f6cb0;--q4:#08306b}}
    *{box-sizing:border-box}
    html{background:var(--ground);color:var(--ink);-webkit-text-size-adjust:100%}
    body{font:16px/1.5 system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif;
    max-width:62rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
    h1{font-size:1.75rem;line-height:1.25;margin:.5rem 0 .25rem;overflow-wrap:anywhere}
    h2{font-size:1.3rem;line-height:1.3;margin:2.75rem 0 .75rem;padding-top:.6rem;
    border-top:1px solid var(--line)}
    h3{font-size:1.05rem;margin:1.75rem 0 .5rem}
    p,ul{max-width:46rem;margin:.6rem 0}
    .subtitle,.note{color:var(--soft)}
    .subtitle{font-size:1.05rem;margin-top:0}
    .note{font-size:.9rem}
    .warning{background:var(--mark);border-left:4px solid var(--c4);padding:.5rem .75rem}
    a{color:var(--link)}
    a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:3px solid var(--c0);
    outline-offset:2px}
    .skip{position:absolute;left:-99rem}
    .skip:focus{position:static}
    nav ol{columns:16rem;column-gap:2rem;padding-left:1.5rem;margin:1rem 0;font-size:.95rem}
    .facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.75rem 1.5rem;
    margin:1rem 0}
    .facts dt{color:var(--soft);font-size:.85rem}
    .facts dd{margin:0;overflow-wrap:anywhere}
    .scroll{overflow-x:auto;margin:1rem 0;max-width:100%}
    table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
    caption{text-align:left;color:var(--soft);padding-bottom:.4rem;caption-side:top;
    max-width:46rem}
    th,td{padding:.25rem .9rem .25rem 0;text-align:left;vertical-align:top;
    border-bottom:1px solid var(--line)}
    thead th{border-bottom:2px solid var(--ink);vertical-align:bottom}
    tbody th{font-weight:400}
    .number{text-align:right;white-space:nowrap}
    tr.emphasized th,tr.emphasized td{font-weight:650}
    code,pre{font-family:ui-monospace,"SF Mono",Consolas,"DejaVu Sans Mono",monospace;
    font-size:.86em}
    code{overflow-wrap:break-word}tbody th code{white-space:nowrap}td code{display:block;
    max-width:18rem}
    pre{background:var(--tint);border:1px solid var(--line);padding:.75rem;overflow-x:auto;
    white-space:pre-wrap;overflow-wrap:anywhere}
    details{margin:.5rem 0}
    summary{cursor:pointer;color:var(--link);font-size:.9rem}
    figure{margin:1.25rem 0;break-inside:avoid}
    figcaption{font-size:.9rem;color:var(--soft);max-width:46rem;margin-top:.3rem}
    figcaption b,.panel-title{color:var(--ink);font-weight:650}
    .grid{display:grid;gap:.5rem 1.5rem;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));
    align-items:start}
    .grid figure{margin:.5rem 0}
    @supports (grid-template-rows:subgrid){.grid figure{display:grid;grid-row:span 4;gap:0;
    grid-template-rows:subgrid}.grid figure>*{grid-row:1;min-width:0}.grid .legend{grid-row:2}
    .grid figure>svg{grid-row:3}.grid figcaption{grid-row:4}}
    .pair figure>svg{max-width:25rem}
    .pair{display:grid;gap:.5rem 1.5rem;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr))}
    .tables{display:flex;flex-wrap:wrap;gap:.5rem 2rem}.tables>*{flex:0 1 auto;max-width:100%}
    .panel-title{font-size:.9rem;margin:.2rem 0 0}
    .legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;padding:0;
    margin:.3rem 0;font-size:.88rem;max-width:none}
    .legend svg{width:1.9rem;height:.7rem;vertical-align:middle;margin-right:.35rem}
    svg{display:block;width:100%;height:auto;max-width:100%}
    .legend svg{display:inline-block}
    svg text{font:11px system-ui,-apple-system,"Segoe UI",Arial,sans-serif;fill:var(--soft)}
    svg .strong{fill:var(--ink);font-weight:650}
    .axis{stroke:var(--ink);stroke-width:1;fill:none}
    .rule{stroke:var(--line);stroke-width:1;fill:none}
    .mark{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3;fill:none}
    .curve{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
    .thin .curve{stroke-width:1.1}
    .point{stroke:none}
    .cloud{fill:none;stroke-linecap:round;stroke-width:3.4;stroke-opacity:.7}
    .halo{stroke:var(--ground);stroke-width:3;paint-order:stroke}
    .s0{stroke:var(--c0)}.s1{stroke:var(--c1);stroke-dasharray:6 3}
    .s2{stroke:var(--c2);stroke-dasharray:2 3}.s3{stroke:var(--c3);stroke-dasharray:8 3 2 3}
    .s4{stroke:var(--c4);stroke-dasharray:12 3}.s5{stroke:var(--c5);stroke-dasharray:4 2}
    .s6{stroke:var(--c6);stroke-dasharray:1 3}.s7{stroke:var(--c7)}
    .s8{stroke:var(--q0)}.s9{stroke:var(--q1)}.s10{stroke:var(--q2)}.s11{stroke:var(--q3)}
    .s12{stroke:var(--q4)}.f8{fill:var(--q0)}.f9{fill:var(--q1)}.f10{fill:var(--q2)}
    .f11{fill:var(--q3)}.f12{fill:var(--q4)}
    .cloud,.whisker{stroke-dasharray:none}
    .f0{fill:var(--c0)}.f1{fill:var(--c1)}.f2{fill:var(--c2)}.f3{fill:var(--c3)}
    .f4{fill:var(--c4)}.f5{fill:var(--c5)}.f6{fill:var(--c6)}.f7{fill:var(--c7)}
    .whisker{stroke-width:1.8;fill:none}
    footer{margin-top:3rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}
    td bdi{display:inline-block;min-width:6rem}
    @media (max-width:40rem){.wide svg{min-width:36rem}
    body{padding:1rem .8rem 3rem}h1{font-size:1.4rem}
    .grid,.pair{grid-template-columns:1fr}}
    @media print{@page{size:A4;margin:16mm 15mm}html{font-size:10pt}
    body{max-width:none;padding:0;font-size:1rem}
    nav,.skip{display:none}h2,h3{break-after:avoid}tr,.facts div{break-inside:avoid}
    .scroll{overflow:visible}
    .grid{grid-template-columns:repeat(3,1fr)}.pair{grid-template-columns:repeat(2,1fr)}}

    """
}
