// Compare reads pairs of configs with the TOML library that GitLab Runner uses and says whether
// they differ in more than the auth entries and the pull policies of the given runners.
//
// Standard input holds a line for each pair: before, after, the numbers of the runners, and the
// pull policies that were asked for, separated by tabs. A line is printed for each pair that differs, and at the end their count.
package main

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

const prefix = "DOCKER_AUTH_CONFIG="

type table = map[string]interface{}

func read(path string) (table, error) {
	found := table{}
	_, err := toml.DecodeFile(path, &found)
	return found, err
}

func runners(config table) []table {
	for key, value := range config {
		if !strings.EqualFold(key, "runners") {
			continue
		}
		switch list := value.(type) {
		case []table:
			return list
		case []interface{}:
			var out []table
			for _, each := range list {
				out = append(out, each.(table))
			}
			return out
		}
	}
	return nil
}

// strip takes the auth entries out of a runner's environment.
func strip(runner table) {
	for key, value := range runner {
		list, ok := value.([]interface{})
		if !strings.EqualFold(key, "environment") || !ok {
			continue
		}
		kept := []interface{}{}
		for _, entry := range list {
			if !strings.HasPrefix(entry.(string), prefix) {
				kept = append(kept, entry)
			}
		}
		delete(runner, key)
		if len(kept) > 0 {
			runner["environment"] = kept
		}
	}
}

// stripPolicies takes the pull policies out of a runner's tables, and a table that holds nothing
// else; it returns the policies.
func stripPolicies(runner table) string {
	policies := ""
	for name, value := range runner {
		found, ok := value.(table)
		docker := strings.EqualFold(name, "docker") || strings.EqualFold(name, "kubernetes")
		if !ok || !docker {
			continue
		}
		for key, value := range found {
			if !strings.EqualFold(key, "pull_policy") {
				continue
			}
			delete(found, key)
			switch value := value.(type) {
			case string:
				policies = value
			case []interface{}:
				names := []string{}
				for _, name := range value {
					names = append(names, name.(string))
				}
				policies = strings.Join(names, ",")
			}
		}
		if len(found) == 0 {
			delete(runner, name)
		}
	}
	return policies
}

func compare(line string) error {
	fields := strings.Split(line, "\t")
	before, err := read(fields[0])
	if err != nil {
		return fmt.Errorf("before: %w", err)
	}
	after, err := read(fields[1])
	if err != nil {
		return fmt.Errorf("after: %w", err)
	}
	if reflect.DeepEqual(before, after) {
		return fmt.Errorf("nothing changed")
	}
	for _, field := range strings.Split(fields[2], ",") {
		number, err := strconv.Atoi(field)
		if err != nil {
			return err
		}
		strip(runners(before)[number])
		strip(runners(after)[number])
		if fields[3] != "" {
			stripPolicies(runners(before)[number])
			if found := stripPolicies(runners(after)[number]); found != fields[3] {
				return fmt.Errorf("the pull policies are %s", found)
			}
		}
	}
	if !reflect.DeepEqual(before, after) {
		return fmt.Errorf("more than the auth entry differs")
	}
	return nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	pairs, different := 0, 0
	for lines.Scan() {
		pairs++
		if err := compare(lines.Text()); err != nil {
			different++
			fmt.Printf("%s: %v\n", lines.Text(), err)
		}
	}
	fmt.Printf("%d pairs, %d wrong\n", pairs, different)
	if different > 0 || pairs == 0 {
		os.Exit(1)
	}
}
