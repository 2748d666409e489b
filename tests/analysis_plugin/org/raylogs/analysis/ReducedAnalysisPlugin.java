// SPDX-FileCopyrightText: Contributors to the raylogs.efk project
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package org.raylogs.analysis;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.FilteringTokenFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.pattern.PatternCaptureGroupTokenFilter;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;

/** The three parts of the module analysis-common without which the index of users, roles and keys cannot be made. */
public class ReducedAnalysisPlugin extends Plugin implements AnalysisPlugin {

    /** Where Lucene keeps the tokenizer, newest first. */
    private static final List<String> EMAIL_TOKENIZERS = List.of(
        "org.apache.lucene.analysis.email.UAX29URLEmailTokenizer",
        "org.apache.lucene.analysis.standard.UAX29URLEmailTokenizer"
    );

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of(
            "pattern_capture", (index, environment, name, settings) -> filter(name, captureGroups(settings)),
            "unique", (index, environment, name, settings) -> filter(name, EachTokenOnce::new)
        );
    }

    @Override
    public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of(
            "uax_url_email",
            (index, environment, name, settings) -> TokenizerFactory.newFactory(name, ReducedAnalysisPlugin::emailTokenizer)
        );
    }

    private static UnaryOperator<TokenStream> captureGroups(Settings settings) {
        Pattern[] patterns = settings.getAsList("patterns").stream().map(Pattern::compile).toArray(Pattern[]::new);
        boolean preserveOriginal = settings.getAsBoolean("preserve_original", true);
        return tokens -> new PatternCaptureGroupTokenFilter(tokens, preserveOriginal, patterns);
    }

    private static TokenFilterFactory filter(String name, UnaryOperator<TokenStream> wrap) {
        return new TokenFilterFactory() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public TokenStream create(TokenStream tokens) {
                return wrap.apply(tokens);
            }
        };
    }

    private static Tokenizer emailTokenizer() {
        for (String name : EMAIL_TOKENIZERS) {
            try {
                return (Tokenizer) Class.forName(name).getConstructor().newInstance();
            } catch (ClassNotFoundException absent) {
                continue; // The other version of Lucene has it.
            } catch (ReflectiveOperationException unusable) {
                throw new IllegalStateException(unusable);
            }
        }
        throw new IllegalStateException("This Lucene has none of " + EMAIL_TOKENIZERS);
    }

    /** Lets each token of a text pass only the first time. */
    private static final class EachTokenOnce extends FilteringTokenFilter {
        private final CharTermAttribute term = addAttribute(CharTermAttribute.class);
        private final Set<String> seen = new HashSet<>();

        EachTokenOnce(TokenStream tokens) {
            super(tokens);
        }

        @Override
        protected boolean accept() {
            return seen.add(term.toString());
        }

        @Override
        public void reset() throws IOException {
            super.reset();
            seen.clear();
        }
    }
}
