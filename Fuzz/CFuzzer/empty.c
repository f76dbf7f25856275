// A target of C needs a source; what the header declares comes with the sanitizer.
