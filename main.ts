import "@stricli/core";
import "valibot";
import "yaml";
