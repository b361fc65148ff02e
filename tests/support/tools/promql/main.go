// Command promql reads PromQL expressions, one a line, and prints each selector in them as {"metric", "labels"}, one a
// line: labels are those that it matches by, or that are left by an aggregation above it. An expression that Prometheus
// could not read ends it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

type selector struct {
	Metric string   `json:"metric"`
	Labels []string `json:"labels"`
}

func main() {
	reader := parser.NewParser(parser.Options{})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		expression, err := reader.ParseExpr(lines.Text())
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", lines.Text(), err)
			os.Exit(1)
		}
		parser.Inspect(expression, func(node parser.Node, above []parser.Node) error {
			if found, ok := node.(*parser.VectorSelector); ok {
				show(found, above)
			}
			return nil
		})
	}
}

func show(vector *parser.VectorSelector, above []parser.Node) {
	found := selector{Metric: vector.Name, Labels: []string{}}
	for _, matcher := range vector.LabelMatchers {
		if matcher.Name != labels.MetricName {
			found.Labels = append(found.Labels, matcher.Name)
		}
	}
	for _, node := range above {
		if group, ok := node.(*parser.AggregateExpr); ok && !group.Without {
			found.Labels = append(found.Labels, group.Grouping...)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		os.Exit(1)
	}
}
