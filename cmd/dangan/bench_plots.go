package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// plot draws what bench found, from its JSON: how far each target is reached, and
// how times grow with the archive.
func plot(files []string, dir string) error {
	if len(files) == 0 {
		return errors.New("bench plots takes the files that bench --json wrote")
	}
	var all results
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var r results
		if err := json.Unmarshal(raw, &r); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		r.Rows = append(all.Rows, r.Rows...)
		all = r
	}
	for name, svg := range map[string][]byte{"bench-ratios.svg": ratios(all), "bench-growth.svg": growth(all)} {
		if err := os.WriteFile(filepath.Join(dir, name), svg, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// machine is what stands under every picture.
func (r results) machine() string {
	return fmt.Sprintf("%d cores, %s, %s; dangan bench", r.Cores, r.Go, r.At)
}

// ratios is a bar for each row that has a target, with a line where the target is.
func ratios(r results) []byte {
	rows := slices.DeleteFunc(slices.Clone(r.Rows), func(r row) bool { return r.Target == 0 })
	const left, top, width, step = 460.0, 76.0, 320.0, 24.0
	d := &drawing{width: 920, height: int(top+step*float64(len(rows))) + 70}
	bottom := top + step*float64(len(rows))
	most := 1.2
	for _, r := range rows {
		most = max(most, r.ratio())
	}
	at := func(ratio float64) float64 { return left + ratio/most*width }
	d.text(20, 28, "ink head", "start", "Rate of dangan over the raw part below it")
	d.text(20, 48, "quiet", "start", "Bars: acknowledged operations. Upright lines: targets. "+r.machine())
	for tick := 0.0; tick <= most; tick += 0.2 {
		d.line(at(tick), top-8, at(tick), bottom, "grid")
		d.text(at(tick), bottom+18, "quiet", "middle", fmt.Sprintf("%.1f", tick))
	}
	var told []string
	for i, r := range rows {
		y := top + step*float64(i)
		label := fmt.Sprintf("%s, %s", r.named(), plural(r.Clients, "client"))
		class, word := "bad", "below"
		if r.reached() == "yes" {
			class, word = "good", "reached"
		}
		d.text(left-10, y+13, "ink", "end", label)
		d.bar(left, y+2, at(r.ratio())-left, step-8, class)
		d.line(at(r.Target), y, at(r.Target), y+step-4, "goal")
		note := fmt.Sprintf("%.3g, %s %.3g", r.ratio(), word, r.Target)
		if r.TargetP95 != 0 {
			note = fmt.Sprintf("%.2f of rate, p95 × %.2f: %s", r.ratio(), r.ratioP95(), word)
		}
		d.text(max(at(r.ratio()), at(r.Target))+8, y+14, "quiet", "start", note)
		told = append(told, label+": "+note)
	}
	d.line(left, top-8, left, bottom, "axis")
	d.text(left+width/2, bottom+40, "ink", "middle", "ratio of the rates (raw = 1)")
	return d.svg("Rate of dangan over the raw part below it", strings.Join(told, "; "))
}

// named is what is compared, with the number of records where there are several.
func (r row) named() string {
	if strings.HasPrefix(r.What, "deposit") || r.N == 0 || strings.Contains(r.What, "records") {
		return r.What
	}
	return r.What + ", " + thousands(r.N)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func thousands(n int) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%g M", float64(n)/1e6)
	case n >= 1000:
		return fmt.Sprintf("%g k", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}

// growth is a panel for everything that was measured with one client among
// different numbers of records.
func growth(r results) []byte {
	series, names := map[string][]row{}, []string{}
	for _, r := range r.Rows {
		if r.Clients != 1 || r.N == 0 || strings.HasPrefix(r.What, "deposit") || strings.HasPrefix(r.What, "reindex") {
			continue
		}
		if series[r.What] == nil {
			names = append(names, r.What)
		}
		series[r.What] = append(series[r.What], r)
	}
	const columns, width, height, top = 3, 320, 250, 70
	d := &drawing{width: columns*width + 20, height: top + (len(names)+columns-1)/columns*height + 10}
	d.text(20, 28, "ink head", "start", "How times grow with the archive")
	d.text(20, 48, "quiet", "start", "95th percentile, one client. Solid: dangan; dashed: the raw part. "+r.machine())
	var told []string
	for i, name := range names {
		rows := series[name]
		slices.SortFunc(rows, func(a, b row) int { return a.N - b.N })
		told = append(told, d.panel(float64(i%columns*width)+70, float64(top+i/columns*height)+30, name, rows))
	}
	return d.svg("How times grow with the archive", strings.Join(told, "; "))
}

// panel draws one series of growth, and says what it shows.
func (d *drawing) panel(left, top float64, name string, rows []row) string {
	const width, height = 210.0, 150.0
	most := 0.0
	for _, r := range rows {
		most = max(most, ms(r.Raw.P95), ms(r.Dangan.P95))
	}
	first, last := math.Log10(float64(rows[0].N)), math.Log10(float64(rows[len(rows)-1].N))
	x := func(n int) float64 { return left + (math.Log10(float64(n))-first)/max(last-first, 1)*width }
	y := func(v float64) float64 { return top + height - v/(1.15*most)*height }
	d.text(left-50, top-12, "ink", "start", name)
	for _, part := range []float64{0, 0.5, 1} {
		d.line(left, y(part*most), left+width, y(part*most), "grid")
		d.text(left-6, y(part*most)+4, "quiet", "end", fmt.Sprintf("%.3g", part*most))
	}
	var ours, raw []float64
	told := name + " among"
	for _, r := range rows {
		d.text(x(r.N), top+height+16, "quiet", "middle", thousands(r.N))
		ours = append(ours, x(r.N), y(ms(r.Dangan.P95)))
		raw = append(raw, x(r.N), y(ms(r.Raw.P95)))
		told += fmt.Sprintf(" %s records: %.2f ms, raw %.2f ms;", thousands(r.N), ms(r.Dangan.P95), ms(r.Raw.P95))
	}
	d.curve("raw", raw...)
	d.curve("ours", ours...)
	d.line(left, top, left, top+height, "axis")
	d.line(left, top+height, left+width, top+height, "axis")
	d.text(left+width/2, top+height+34, "ink", "middle", "records")
	d.upright(left-48, top+height/2, "ink", "milliseconds")
	return strings.TrimSuffix(told, ";")
}
